"""CSV files: what is read, and the message for each thing that is wrong."""

import hashlib

import numpy as np
import pytest

from occore import DataError
from occore_least_squares.datasets.csv import Csv

FLOWERS = "length,width,species\n1.5,2,rose\n3,4.25,iris\n\n-1e-3,.5,rose\n"


def test_texts_are_classes(load, write):
    write("a.csv", FLOWERS)
    data = load(Csv("a.csv", target="species"))
    assert data.inputs.tolist() == [[1.5, 2], [3, 4.25], [-1e-3, 0.5]]
    assert data.targets.tolist() == [[0, 1], [1, 0], [0, 1]]
    assert data.classes == ("iris", "rose") and data.features == ("length", "width")
    assert data.digest == f"sha256:{hashlib.sha256(FLOWERS.encode()).hexdigest()}"


def test_numbers_are_fitted(load, write):
    write("a.csv", FLOWERS)
    data = load(Csv("a.csv", target="width", inputs=("length",)))
    assert data.inputs.tolist() == [[1.5], [3], [-1e-3]]
    assert data.targets.tolist() == [[2], [4.25], [0.5]] and data.classes is None


def test_several_targets_in_the_order_given(load, write):
    write("a.csv", "a,b,c\n1,2,3\n4,5,6\n")
    data = load(Csv("a.csv", target=("c", "a")))
    assert data.inputs.tolist() == [[2], [5]] and data.targets.tolist() == [[3, 1], [6, 4]]


def test_no_target(load, write):
    write("a.csv", "a,b\n1,2\n")
    assert load(Csv("a.csv")).targets is None


def test_whole_numbers_as_classes_sort_by_value(load, write):
    write("a.csv", "x,digit\n1,10\n2,9.0\n3,10\n")
    data = load(Csv("a.csv", target="digit", task="classification"))
    assert data.classes == ("9", "10") and data.targets.tolist() == [[0, 1], [1, 0], [0, 1]]


def test_mixed_texts_as_classes_where_asked_for(load, write):
    write("a.csv", "x,y\n1,3a\n2,3\n")
    data = load(Csv("a.csv", target="y", task="classification"))
    assert data.classes == ("3", "3a")


def test_no_header(load, write):
    write("a.csv", "5;1.5\r\n6;2.5\r\n")
    data = load(Csv("a.csv", target="2", delimiter=";", header=False))
    assert data.inputs.tolist() == [[5], [6]] and data.features == ("1",)


def test_quotes_blanks_and_byte_order_mark(load, write):
    write("a.csv", '\ufeff"a, cm", "b"\n 1 , "two\nlines"\n 2 , "it ""is"""\n')
    data = load(Csv("a.csv", target="b"))
    assert data.features == ("a, cm",) and data.classes == ('it "is"', "two\nlines")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,y\n1,2\n,3\n", {}, r"a\.csv:3: column 'a': the cell is missing"),
        ("a,y\n1,2\nx1,3\n", {}, r"a\.csv:3: column 'a': 'x1' is no finite number"),
        ("a,y\n1,2\nnan,3\n", {}, r"a\.csv:3: column 'a': 'nan' is no finite number"),
        ("a,y\n1,2\n1e999,3\n", {}, r"a\.csv:3: column 'a': '1e999' is no finite number"),
        ("a,y\n1_0,2\n", {}, r"a\.csv:2: column 'a': '1_0' is no finite number"),
        ("a,y\n１,2\n", {}, r"a\.csv:2: column 'a': '１' is no finite number"),
        ("a,y\n1,2\n3,\n", {}, r"a\.csv:3: column 'y': 0 characters"),
        ("a,y\n1,2\n3,inf\n", {}, r"a\.csv:3: column 'y': 'inf' is no finite number"),
        ("a,y\n1,2\n3,4x\n", {}, r"a\.csv:3: column 'y': '4x' is no number, but other cells are"),
        ("a,y\n1,u\n", {"task": "regression"}, r"a\.csv:2: column 'y': 'u' is no finite number"),
        ("a,y\n1,u\n2,u\n", {}, r"'y' has the single class u; at least two"),
        ("a,y\n1,.5\n2,1\n", {"task": "classification"}, r"'y' is 0.5 at index 0; classes are"),
        ("a,y\n1,2\n3\n", {}, r"a\.csv:3: 1 cells, but the first line has 2 columns"),
        ("a,y\n1,2\n3,4,5\n", {}, r"a\.csv:3: 3 cells, but the first line has 2 columns"),
        ("a,y\n1,2\0\n", {}, r"a\.csv:2: NUL characters"),
        ('a,y\n1,"2"3\n', {}, r"a\.csv:2: this is not CSV"),
        ('a,y\n1,"2\n', {}, r"a\.csv:2: this is not CSV"),
        ("a,y\n1," + "9" * 200_000, {}, r"a\.csv:2: this is not CSV: field larger"),
        ("a,y\n1," + "u" * 300 + "\n2,v\n", {}, r"a\.csv:2: column 'y': 300 characters"),
        ("1,2\n3,4\n", {}, r"a\.csv:1: numbers where the names .* header = false"),
        ("a,a,y\n1,2,3\n", {}, r"a\.csv:1: two columns have the name 'a'"),
        (",y\n1,2\n", {}, r"a\.csv:1: column 1 has no name"),
        ("a;y\n1;2\n", {}, r"no column 'y'\..*is `delimiter` the one of this file"),
        ("a,yy\n1,2\n", {}, r"no column 'y'\. Did you mean 'yy'\? Known: 'a', 'yy'"),
        (
            "a,y\n1,2\n",
            {"inputs": ("a", "y")},
            r"named twice among the target 'y' and the inputs 'a', 'y'",
        ),
        ("a,y\n1,2\n", {"target": ("a", "y")}, r"every column is a target"),
        ("a,y\n1,2\n", {"target": None, "task": "classification"}, r"has one target column"),
        ("a,y\n", {}, r"no samples below the names"),
        ("", {}, r"the file is empty"),
        (b"a,y\n1,\xff\n", {}, r"the text is not UTF-8"),
        (b"\x89HDF\r\n\x1a\n\0\0\0", {}, r"the text is not UTF-8"),
    ],
)
def test_error(load, write, text, options, message):
    write("a.csv", text)
    with pytest.raises(DataError, match=message):
        load(Csv("a.csv", **({"target": "y"} | options)))


def test_as_many_classes_as_samples_are_refused(load, write):
    rows = "".join(f"{k},{k}\n" for k in range(12_000))
    write("a.csv", "a,y\n" + rows)
    with pytest.raises(DataError, match="12000 different values in 12000 samples, too many"):
        load(Csv("a.csv", target="y", task="classification"))


def test_many_columns_take_no_quadratic_time(load, write):
    write("a.csv", ",".join(f"c{k}" for k in range(200_000)) + "\n")
    with pytest.raises(DataError, match="no column 'y'"):
        load(Csv("a.csv", target="y"))


def test_round_trip(load, write):
    values = np.random.default_rng(3).standard_normal((50, 4))
    write("a.csv", "a,b,c,y\n" + "".join(",".join(map(repr, r)) + "\n" for r in values.tolist()))
    data = load(Csv("a.csv", target="y"))
    assert np.array_equal(np.hstack([data.inputs, data.targets]), values)
