"""Scratch on disk for the states of an adjoint sweep: an HDF5 file that goes with the process."""

from __future__ import annotations

import tempfile
import weakref
from typing import Any

from occore.arrays import Array

Arrays = tuple[Array, ...]


class Scratch:
    """A fixed number of places for states in a temporary file; nothing of it outlives the sweep."""

    def __init__(self, places: int) -> None:
        import h5py

        self._backing = tempfile.TemporaryFile(prefix="occore-")
        self._file = h5py.File(self._backing, "w")
        # a linearization whose adjoint nobody asks for leaves its scratch to the collector
        self._close = weakref.finalize(self, _close, self._file, self._backing)
        self._free = list(range(places))
        self._place: dict[int, int] = {}

    def put(self, key: int, state: Arrays) -> None:
        """Store a state under a key."""
        place = self._free.pop()
        self._place[key] = place
        for index, array in enumerate(state):
            name = f"{place}/{index}"
            if name in self._file:
                self._dataset(name)[...] = array
            else:
                self._file.create_dataset(name, data=array)

    def get(self, key: int, forget: bool) -> Arrays:
        """The state of a key; its place is free again where it is to be forgotten."""
        place = self._place[key]
        if forget:
            self._free.append(self._place.pop(key))
        names = sorted(self._file[str(place)], key=int)  # pyright: ignore[reportArgumentType]
        return tuple(self._dataset(f"{place}/{name}")[...] for name in names)

    def close(self) -> None:
        """Give the file back."""
        self._close()

    def _dataset(self, name: str) -> Any:
        return self._file[name]


def _close(file: Any, backing: Any) -> None:
    file.close()
    backing.close()
