"""Kernels compiled by Numba: a loop over samples, with the values of one sample in registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from occore.arrays import Array
from occore.symbolic.array_kernel import ArrayKernel
from occore.symbolic.jit import compile_source
from occore.symbolic.printing import call_source, loop_source, scalar_source
from occore.symbolic.tape import Tape

Shared = tuple[bool, ...]
"""For each group, whether all samples share it."""


@dataclass(frozen=True)
class CompiledKernel:
    """The same as `ArrayKernel`, compiled for NumPy arrays of float64 or float32.

    Other arrays take the way of `ArrayKernel`. NumPy results lie in memory sample by sample. The
    functions release the GIL, and are kept in the cache folder where there is one.
    """

    tape: Tape

    def point(self, dtype: Any = np.float64) -> Callable[..., None]:
        """The compiled `point(g0, …, out)` for one sample, callable from compiled code.

        A vector group and `out` are one-dimensional C arrays of this dtype.
        """
        return _compile(self.tape, np.dtype(dtype).name, None)["point"]

    def loop(self, shared: Shared, dtype: Any = np.float64) -> Callable[..., None]:
        """The compiled `loop(g0, …, out)` over samples; out is (samples, outputs)."""
        return _compile(self.tape, np.dtype(dtype).name, shared)["loop"]

    @cached_property
    def arrays(self) -> ArrayKernel:
        """The kernel for everything but float64 and float32 NumPy arrays."""
        return ArrayKernel(self.tape)

    @cached_property
    def _calls(self) -> dict[Any, Callable[..., Array]]:
        """Functions that return the outputs, by precision and by the ranks of the groups."""
        return {}

    @cached_property
    def _leader(self) -> int:
        """The first vector group; it tells the precision."""
        return next(i for i, length in enumerate(self.tape.groups) if length is not None)

    def __call__(self, *groups: Any) -> Array:
        if not isinstance(groups[self._leader], np.ndarray):
            return self.arrays(*groups)
        kinds = tuple(
            [(g.dtype.char, g.ndim) if isinstance(g, np.ndarray) else None for g in groups]
        )
        call = self._calls.get(kinds)
        if call is None:
            call = self._calls[kinds] = self._call(kinds)
        return call(*groups)

    def _call(self, kinds: tuple[tuple[str, int] | None, ...]) -> Callable[..., Array]:
        """The function for arrays of these dtypes and ranks; None is a number."""
        dtype = np.result_type(*(kind[0] for kind in kinds if kind))
        if dtype.char not in "df":
            return self.arrays
        ranks = [kind[1] if kind else 0 for kind in kinds]
        lengths = self.tape.groups
        shared = tuple(r == (n is not None) for r, n in zip(ranks, lengths, strict=True))
        return _compile(self.tape, dtype.name, shared)["call"]


@lru_cache(maxsize=512)
def _compile(tape: Tape, dtype: str, shared: Shared | None) -> dict[str, Any]:
    """The functions `point` and, where `shared` is given, `loop` and `call`.

    Numba compiles them when they are first called.
    """
    number = "single" if dtype == "float32" else ""
    source = "@njit\n" + scalar_source(tape, "point", number)
    if shared is not None:
        source += "\n\n@njit\n" + loop_source(tape, "loop", "point", shared, number)
        source += "\n\n" + call_source(tape, "call", "loop", shared)
    return compile_source(source, "kernel", {"dtype": np.dtype(dtype)})
