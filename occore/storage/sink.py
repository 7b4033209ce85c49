"""The file that HDF5 writes a run to, which survives a disk that is full."""

from __future__ import annotations

import io
from typing import Any


class Sink:
    """The file as HDF5 sees it, on which every write succeeds; `error` is the first that did not.

    HDF5 2.0.0 crashes the process where it cannot write while it closes a file, as on a full disk,
    so no exception may pass through it, not even that of Ctrl-C.
    """

    def __init__(self, raw: io.FileIO) -> None:
        self.error: BaseException | None = None
        self.seek, self.tell, self.readinto = raw.seek, raw.tell, raw.readinto
        self._raw = raw

    def read(self, size: int = -1) -> bytes:
        """h5py tells a file from a path by this method; HDF5 reads by `readinto`."""
        return self._raw.read(size)

    def write(self, data: Any) -> int:
        """Write all of the data, unless an earlier write failed."""
        rest = memoryview(data).cast("B")
        while len(rest) and self.error is None:
            try:
                rest = rest[self._raw.write(rest) :]
            except BaseException as error:
                self.error = error
        return len(data)

    def truncate(self, size: int) -> None:
        """Set the length of the file, unless an earlier write failed."""
        if self.error is None:
            try:
                self._raw.truncate(size)
            except BaseException as error:
                self.error = error

    def flush(self) -> None:
        """Nothing is held back."""
