"""The rule that a class is abstract or final.

Few abstract methods; whatever is concrete is final, so that a method means the same thing wherever
it is met. To change one thing, wrap. A method that has a default and is meant to be replaced is
marked `overridable`; an optional method is `None` in the interface, so that whoever needs it can
ask before any work.
"""

import inspect
from abc import ABC
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def overridable(method: F) -> F:
    """Mark a concrete method of an interface as a default that subclasses may replace."""
    method.__overridable__ = True  # pyright: ignore[reportFunctionMemberAccess]
    return method


class _Missing:
    """What an abstract attribute is until a class gives it."""

    __isabstractmethod__ = True


def abstract_attribute() -> Any:
    """The value of a class attribute that every final class must give: tables, coefficients."""
    return _Missing()


def _is_final(value: object) -> bool:
    """Whether an attribute of an interface is a concrete method."""
    function = value
    if isinstance(value, (classmethod, staticmethod)):
        function = value.__func__
    elif isinstance(value, property):
        function = value.fget
    if not inspect.isfunction(function):
        return False
    return not getattr(function, "__isabstractmethod__", False) and not getattr(
        function, "__overridable__", False
    )


class Interface(ABC):  # noqa: B024 - its subclasses have the abstract methods
    """Base of occore's interfaces: no subclass of a concrete class, no override of a method."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        parents = [b for b in cls.__mro__[1:] if b is not Interface and issubclass(b, Interface)]
        for base in cls.__bases__:
            if base in parents and not inspect.isabstract(base):
                raise TypeError(
                    f"{cls.__name__} subclasses {base.__name__}, which is final: wrap it instead"
                )
        for name in vars(cls):
            if name.startswith("__") and name != "__call__":
                continue
            for base in parents:
                if name in vars(base) and _is_final(vars(base)[name]):
                    raise TypeError(
                        f"{cls.__name__}.{name} overrides {base.__name__}.{name}, which is final: "
                        f"wrap {base.__name__} instead"
                    )
