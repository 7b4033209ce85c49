"""Kernels over arrays of samples: NumPy in blocks that stay in cache, or any array library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from occore.arrays import Array, array_namespace
from occore.symbolic.printing import array_source
from occore.symbolic.source import execute
from occore.symbolic.tape import Tape

BLOCK = 8192
"""Samples that are computed at a time: some variables of so many numbers fit the L2 cache."""


@dataclass(frozen=True)
class ArrayKernel:
    """Outputs of a tape for many samples; real and complex numbers of any precision.

    Each group of inputs is shared by all samples, (length,) or a number, or has an axis of samples
    in front, (samples, length) or (samples,). The result is (samples, outputs), or (outputs,) if
    all groups are shared. NumPy results lie in memory column by column.
    """

    tape: Tape

    @cached_property
    def function(self) -> Callable[..., list[Any]]:
        """`function(xp, constant, g0, …)`: the generated source, at work."""
        return execute(array_source(self.tape), {})["kernel"]

    def __call__(self, *groups: Any) -> Array:
        xp = array_namespace(*groups)
        if not self.tape.branches:
            return self._evaluate(xp, groups)
        # the branch that is not taken may well be the root of a negative number
        with np.errstate(all="ignore"):
            return self._evaluate(xp, groups)

    def _evaluate(self, xp: Any, groups: tuple[Any, ...]) -> Array:
        return self._numpy(groups) if xp is np else self._generic(xp, groups)

    def _numpy(self, groups: tuple[Any, ...]) -> Array:
        dtype = np.result_type(*groups, 0.0)
        columns = [np.asarray(group, dtype).T for group in groups]
        each = [c.ndim > (n is not None) for c, n in zip(columns, self.tape.groups, strict=True)]
        if not any(each):
            return np.array(self.function(np, dtype.type, *columns), dtype)
        samples = columns[each.index(True)].shape[-1]
        out = np.empty((len(self.tape.outputs), samples), dtype)
        for start in range(0, samples, BLOCK):
            part = slice(start, start + BLOCK)
            # always contiguous, so that equal numbers take the same way through NumPy's loops
            inputs = [
                np.ascontiguousarray(c[..., part]) if many else c[()]
                for c, many in zip(columns, each, strict=True)
            ]
            values = self.function(np, dtype.type, *inputs)
            for row, value in enumerate(values):
                out[row, part] = value
        return out.T

    def _generic(self, xp: Any, groups: tuple[Any, ...]) -> Array:
        import array_api_compat

        like = next(g for g in groups if not isinstance(g, (int, float)))
        device = array_api_compat.device(like)

        def constant(value: float) -> Array:
            return xp.asarray(value, dtype=like.dtype, device=device)

        inputs, samples = [], ()
        for group, length in zip(groups, self.tape.groups, strict=True):
            array = constant(group) if isinstance(group, (int, float)) else group
            if array.ndim > (length is not None):
                samples = (array.shape[0],)
            inputs.append(array if length is None else [array[..., i] for i in range(length)])
        outputs = self.function(xp, constant, *inputs)
        rows = [constant(row) if isinstance(row, float) else row for row in outputs]
        return xp.stack([xp.broadcast_to(row, samples) for row in rows], axis=-1)
