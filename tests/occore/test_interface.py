"""A class is abstract or final."""

from abc import abstractmethod

import pytest

from occore.interface import Interface, abstract_attribute, overridable


class Shape(Interface):
    @abstractmethod
    def area(self): ...

    def double(self):
        return 2 * self.area()

    @overridable
    def name(self):
        return "shape"

    @property
    def half(self):
        return self.area() / 2

    hint = None


class Square(Shape):
    def area(self):
        return 1

    def name(self):
        return "square"

    def hint(self):
        return "four corners"


def test_a_concrete_class_works():
    assert Square().double() == 2
    assert Square().name() == "square"


def test_no_subclass_of_a_concrete_class():
    with pytest.raises(TypeError, match="Tile subclasses Square, which is final: wrap it instead"):
        type("Tile", (Square,), {})


@pytest.mark.parametrize("name", ["double", "half"])
def test_no_override_of_a_concrete_method(name):
    with pytest.raises(TypeError, match=rf"Wrong.{name} overrides Shape.{name}, which is final"):
        type("Wrong", (Shape,), {"area": lambda self: 1, name: lambda self: 3})


def test_an_abstract_class_in_between_keeps_the_guard():
    class Sided(Shape):
        @abstractmethod
        def sides(self): ...

        def area(self):
            return self.sides()

    with pytest.raises(TypeError, match=r"overrides Sided\.area"):
        type("Triangle", (Sided,), {"sides": lambda self: 3, "area": lambda self: 3})


def test_an_abstract_attribute_must_be_given():
    class Tiled(Interface):
        corners = abstract_attribute()

    class Triangle(Tiled):
        corners = 3

    with pytest.raises(TypeError, match=r"abstract.*corners"):
        type("Nothing", (Tiled,), {})()
    assert Triangle().corners == 3
    with pytest.raises(TypeError, match="subclasses Triangle, which is final"):
        type("Other", (Triangle,), {"corners": 4})
