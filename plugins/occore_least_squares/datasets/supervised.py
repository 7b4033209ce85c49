"""Inputs and targets as a problem takes them: finite float64 numbers, classes as one-hot rows.

    task              targets in the source              targets of the data
    regression        numbers, (n,) or (n, …)            (n, 1) or (n, …)
    classification    n texts, whole numbers or bools    (n, classes), one-hot
                      one-hot rows (n, classes)          the same

Where no task is given, texts are classes and numbers are not: a count is as whole as a label.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from occore import Array, Data, DataError

Task = Literal["regression", "classification"]

MOST_ENTRIES = 2**27  # of one-hot rows: 1 GiB in float64


def supervised(
    inputs: Array, targets: Array | None, task: Task | None, where: tuple[str, ...], digest: str
) -> Data:
    """The data of an array of inputs (n, …) and, if any, one of targets (n, …).

    where: how messages name inputs and targets. Raises DataError for what is not numbers, for
    different numbers of samples, and where the targets do not fit the task.
    """
    inputs = numbers(inputs, where[0])
    if targets is None:
        return Data(inputs, digest=digest)
    if targets.shape[:1] != inputs.shape[:1]:
        raise DataError(
            f"{where[1]} has shape {targets.shape}, but {where[0]} has {len(inputs)} samples; the "
            "first axis of both counts the samples"
        )
    texts = targets.dtype.kind in "US"
    if task == "classification" or (task is None and texts):
        rows, classes = one_hot(targets, where[1])
        return Data(inputs, rows, classes, digest=digest)
    if texts:
        raise DataError(f'{where[1]} holds texts; set task = "classification" to make them classes')
    return Data(inputs, numbers(targets, where[1]), digest=digest)


def numbers(values: Array, where: str) -> Array:
    """Real finite numbers as float64 (n, …), with n > 0; a vector becomes a column (n, 1).

    Raises DataError, naming the first entry that is missing.
    """
    if values.dtype.kind not in "biuf":
        raise DataError(f"{where} has the type {values.dtype}; real numbers are expected")
    if values.ndim == 0 or values.size == 0:
        raise DataError(
            f"{where} has shape {values.shape}; (samples, …) is expected, with at least one entry"
        )
    values = values.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.all():
        place = tuple(int(i) for i in np.unravel_index(np.argmin(finite), values.shape))
        raise DataError(
            f"{where} is {values[place]} at index {place}, and {int((~finite).sum())} of its "
            f"{values.size} entries are not finite; remove these samples or fill them in"
        )
    return values[:, None] if values.ndim == 1 else values


def one_hot(labels: Array, where: str) -> tuple[Array, tuple[str, ...]]:
    """One-hot rows (n, classes) and the names of their columns, sorted.

    labels: (n,) or (n, 1), texts, bools or whole numbers; or (n, classes), one-hot already.
    Raises DataError for other labels, for a single class and for so many that they are none.
    """
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.dtype.kind in "biuf":
        ones = (labels == 1).sum(axis=1) == 1
        if not (ones & ((labels != 0).sum(axis=1) == 1)).all():
            raise DataError(
                f"{where} has shape {labels.shape}, but its rows are not one-hot; a class for each "
                'sample is expected, or task = "regression"'
            )
        return labels.astype(np.float64), tuple(str(k) for k in range(labels.shape[1]))
    if labels.size == 0 or labels.shape not in ((labels.size,), (labels.size, 1)):
        raise DataError(f"{where} has shape {labels.shape}; one class for each sample is expected")
    names, index = np.unique(_class_names(labels.ravel(), where), return_inverse=True)
    if len(names) < 2:
        raise DataError(f"{where} has the single class {names[0]!s}; at least two are expected")
    if labels.size * len(names) > MOST_ENTRIES:
        raise DataError(
            f"{where} has {len(names)} different values in {labels.size} samples, too many for "
            'classes; for numbers that are measured set task = "regression"'
        )
    return one_hot_rows(index, len(names)), tuple(str(name) for name in names)


def one_hot_rows(index: Array, classes: int) -> Array:
    """(n, classes) with a one in the column `index` (n,) of each row."""
    rows = np.zeros((len(index), classes))
    rows[np.arange(len(index)), index] = 1.0
    return rows


def _class_names(labels: Array, where: str) -> Array:
    """Labels that sort as their names should: texts by letter, whole numbers by value."""
    if labels.dtype.kind == "S":
        try:
            return np.char.decode(labels, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{where} holds texts that are not UTF-8: {error.reason}") from error
    if labels.dtype.kind == "U":
        # an array can hold codes that are no characters, at which Python's text functions end
        codes = labels.astype(labels.dtype.newbyteorder("=")).view(np.uint32)
        if ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any():
            raise DataError(f"{where} holds texts that are not Unicode; write it again")
        return labels
    if labels.dtype.kind in "biu":
        return labels
    if labels.dtype.kind != "f":
        raise DataError(f"{where} has the type {labels.dtype}; texts or whole numbers are expected")
    whole = np.abs(labels) < 2**53  # false for NaN too
    whole[whole] = labels[whole] == np.floor(labels[whole])
    if not whole.all():
        place = int(np.argmin(whole))
        raise DataError(
            f"{where} is {labels[place]} at index {place}; classes are texts or whole numbers. "
            'For numbers that are measured set task = "regression"'
        )
    return labels.astype(np.int64)
