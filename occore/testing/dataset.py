"""What every data set owes: its shape, types, names, and what a seed determines."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from occore.arrays import Array, is_sparse
from occore.data import Data
from occore.example import Example
from occore.testing.comparison import identical, require
from occore.testing.points import Generator


def load(example: Example, seed: int = 0) -> Data:
    """The data of the example, with its files in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (example.files or {}).items():
            (Path(folder) / name).write_bytes(content)
        return example.map.load((Path(folder),), np.random.default_rng(seed))


def _filled(array: Array) -> Array:
    """The array itself, or all entries of a sparse one."""
    return array.toarray() if is_sparse(array) else array


def value(example: Example, rng: Generator) -> None:
    """The inputs have the shape of the example."""
    shape = load(example).inputs.shape
    require(shape == tuple(example.value), f"inputs are {shape}, not {tuple(example.value)}")


def determined(example: Example, rng: Generator) -> None:
    """One seed, one content."""
    first, second = load(example), load(example)
    for name in ("inputs", "targets"):
        if getattr(first, name) is not None:
            pair = [_filled(getattr(data, name)) for data in (second, first)]
            identical(name, {"one seed": pair[0]}, {"one seed": pair[1]})


def types(example: Example, rng: Generator) -> None:
    """Floating-point inputs and targets, finite, with a row for each sample.

    NaN in a target says that a trajectory is not observed at that time.
    """
    data = load(example)
    for name, array in {"inputs": data.inputs, "targets": data.targets}.items():
        if array is not None:
            array = _filled(array)
            require(array.dtype.kind == "f", f"{name} are {array.dtype}")
            require(array.ndim >= 2, f"{name} have the shape {array.shape}, expected (samples, …)")
            require(len(array) == data.samples, f"{name} have {len(array)} rows")
            observed = name == "targets" and data.times is not None
            finite = np.isfinite(array) | (np.isnan(array) if observed else False)
            require(bool(np.all(finite)), f"{name} are not finite")


def times(example: Example, rng: Generator) -> None:
    """Times of observations increase from 0 on, and the targets have an axis of them."""
    data = load(example)
    if data.times is not None:
        increasing = bool(np.all(np.diff(data.times) > 0)) and data.times[0] >= 0
        require(increasing, f"the times are {data.times}; they must increase from 0 on")
        shape = (data.samples, len(data.times), *data.inputs.shape[1:])
        require(data.targets.shape == shape, f"targets have the shape {data.targets.shape}")


def names(example: Example, rng: Generator) -> None:
    """A name for each feature and for each class, where there are names."""
    data = load(example)
    if data.picture is not None:
        pixels = data.picture[0] * data.picture[1]
        require(data.inputs.shape[-1] == pixels, "as many features as pixels of the picture")
    if data.features is not None:
        require(len(data.features) == data.inputs.shape[-1], "as many names as features")
    if data.classes is not None:
        onehot = np.isin(data.targets, (0.0, 1.0)).all() and np.all(data.targets.sum(axis=-1) == 1)
        require(bool(onehot), "targets of a classification are one-hot rows")
        require(data.targets.shape[-1] == len(data.classes), "as many names as classes")


def digest(example: Example, rng: Generator) -> None:
    """The same content, the same digest; it is never empty."""
    first, second = load(example), load(example)
    require(first.digest != "", "the digest is empty; 'none' says that there is no content")
    require(first.digest == second.digest, "two loads of one content have different digests")


def subset(example: Example, rng: Generator) -> None:
    """Samples can be chosen, and keep their targets."""
    data = load(example)
    order = np.arange(data.samples)[::-1]
    back = data.subset(order).subset(order)
    identical(
        "the samples, turned around twice", {"x": _filled(back.inputs)}, {"x": _filled(data.inputs)}
    )
    if data.targets is not None:
        identical("their targets", {"c": back.targets}, {"c": data.targets})


def randomness(example: Example, rng: Generator) -> None:
    """Whatever is random comes from the given generator."""
    before = str(np.random.get_state())  # noqa: NPY002 - to see that nobody uses it
    load(example)
    require(
        str(np.random.get_state()) == before,  # noqa: NPY002
        "load draws from NumPy's global generator, not from rng",
    )


CHECKS = (value, determined, types, times, names, digest, subset, randomness)
