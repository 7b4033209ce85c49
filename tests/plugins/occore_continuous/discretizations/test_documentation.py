"""The page about discretizations lists what is registered, with the orders of the classes."""

import re
from pathlib import Path

ROWS = {
    cells[0]: cells
    for line in Path("docs/discretizations.md").read_text().splitlines()
    if (match := re.match(r"\| `(\w+)` \|", line)) is not None
    for cells in [[match[1], *(cell.strip() for cell in line.split("|")[2:-1])]]
}


def test_the_table_has_the_orders_of_the_method(entry):
    _, order, _, error, dense, *_ = ROWS[entry.name]
    method = entry.cls()
    assert int(order) == method.order
    assert error == ("" if method.step_with_error is None else str(method.error_order))
    assert dense == ("" if method.dense_output is None else str(method.dense_order))
