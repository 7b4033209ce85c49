"""Data: inputs and targets of a problem, and their split into a training and a held-out part."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from occore.arrays import Array, is_sparse
from occore.errors import DataError
from occore.interface import Interface

MOST_TRAJECTORIES = 100
"""Of those that a run file keeps for its figures."""


@dataclass(frozen=True)
class Data:
    """Samples: the start states of the first phase and the targets of the last.

    inputs: (samples, *state_shape). targets: (samples, *output shape) or None. For classification
    the targets are one-hot on their last axis, which `classes` names. `digest` identifies the
    content of the source, for the provenance of a run. `picture` gives the rows and columns of the
    picture whose pixels, one row after the other, the features are. `held_out` are the samples that
    the source itself keeps from the training, such as a test set that comes with it.

    Observed trajectories have `times` (times,), increasing, relative to the start states: targets
    are then (samples, times, *state_shape), and NaN where a sample is not observed.

    The inputs may be a SciPy sparse array (samples, features), for phases that take them so.
    """

    inputs: Array
    targets: Array = None
    classes: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    digest: str = ""
    picture: tuple[int, int] | None = None
    held_out: Data | None = None
    times: Array = None

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.inputs.shape[0]

    def subset(self, indices: Array) -> Data:
        """The samples with these indices, in this order."""
        targets = None if self.targets is None else self.targets[indices]
        return replace(self, inputs=self.inputs[indices], targets=targets)

    def astype(self, dtype: np.dtype) -> Data:
        """The same numbers in another precision."""
        targets = None if self.targets is None else self.targets.astype(dtype)
        return replace(self, inputs=self.inputs.astype(dtype), targets=targets)

    def record(self) -> dict[str, Array]:
        """What a run file keeps of the data, as arrays by name; of trajectories, the first ones."""
        if self.times is None:
            return {}
        return {"time": self.times, "observed": self.targets[:MOST_TRAJECTORIES]}


class Dataset(Interface):
    """A source of data; a frozen dataclass of options."""

    @abstractmethod
    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples.

        folders: where relative paths are looked up, in this order. rng: for all that is random.
        Raises DataError, naming the file and what is wrong with it.
        """


def split(data: Data, held_out: float, rng: np.random.Generator) -> tuple[Data, Data | None]:
    """A random training part, and a held-out part with this fraction of the samples.

    The order of the samples within each part is that of the data. Data that bring a held-out part
    of their own are split so. Raises DataError for these where a fraction is asked for all the
    same, and where a part would be empty.
    """
    if held_out == 0:
        return replace(data, held_out=None), data.held_out
    if data.held_out is not None:
        raise DataError("the data bring their own held-out samples; remove held_out")
    if data.samples == 1:
        raise DataError("the data are one sample, which cannot be split; remove held_out")
    count = round(held_out * data.samples)
    if not 0 < count < data.samples:
        raise DataError(
            f"held_out = {held_out} leaves {data.samples - count} of {data.samples} samples for "
            f"training and {count} held out; each part needs at least one"
        )
    order = rng.permutation(data.samples)
    return data.subset(np.sort(order[count:])), data.subset(np.sort(order[:count]))


def standardize(train: Data, held_out: Data | None) -> tuple[Data, Data | None]:
    """Inputs shifted and scaled to mean 0 and standard deviation 1 over the training samples.

    A feature that is constant over the training samples is only shifted. Raises DataError where
    all would be constant, since there is but one sample, and for sparse inputs.
    """
    if train.samples == 1:
        raise DataError("the data are one sample, of which all would become zero; set it to false")
    if is_sparse(train.inputs):
        raise DataError("a shift would fill in the sparse inputs; set it to false")
    mean, deviation = train.inputs.mean(axis=0), train.inputs.std(axis=0)
    scale = np.where(deviation > 0, deviation, 1.0)

    def scaled(part: Data) -> Data:
        return replace(part, inputs=(part.inputs - mean) / scale)

    return scaled(train), None if held_out is None else scaled(held_out)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than the file system takes
        return False


def resolve(path: str, folders: tuple[Path, ...]) -> Path:
    """The file that a relative path of a case names, in the first of the folders that has it.

    Case files come from strangers: absolute paths, `~`, `$`, URLs and paths that leave the folders
    (also through links) are refused. Raises DataError with the folders that were searched.
    """
    parts = Path(path).parts
    if Path(path).is_absolute() or ".." in parts or "\0" in path or path[:1] == "~":
        raise DataError(
            f"{path!r} is not a path inside the case's folder or OCCORE_DATA; "
            "put the file there, or set the environment variable OCCORE_DATA to its folder"
        )
    for folder in folders:
        candidate = folder / path
        if _is_file(candidate):
            if not candidate.resolve().is_relative_to(folder.resolve()):
                raise DataError(f"{path!r} is a link that leaves {folder}")
            return candidate
    searched = ", ".join(str(folder) for folder in folders)
    raise DataError(
        f"no file {path!r} in {searched}; set the environment variable OCCORE_DATA to the folder "
        "that holds it"
    )
