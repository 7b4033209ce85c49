"""The kernels of y = f(t, x, u): the value and all derivatives, generated from one tape on demand.

    kernel           inputs               outputs of one sample
    value            t, x, u              y
    time_derivative  t, x, u              y_t
    jvp              t, x, u, dx, du      y_x dx + y_u du
    vjp              t, x, u, py          y_xᵀ py, then y_uᵀ py
    curvature        t, x, u, py, dx, du  the derivative of the vjp along (dx, du)
    jacobian         t, x, u              y, then the non-zeros of (y_x, y_u, y_t)
    hessian          t, x, u, py          non-zeros of the lower triangle of (pyᵀ y)_(x,u)(x,u)

x, dx: (samples, n); y, py: (samples, outputs). u, du: (m,) or (samples, m). t: a number or
(samples,). The places of non-zeros are in `pattern`; columns count x, then u, then t.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from occore.symbolic import cache
from occore.symbolic.array_kernel import ArrayKernel
from occore.symbolic.compiled_kernel import CompiledKernel
from occore.symbolic.differentiation import KINDS
from occore.symbolic.tape import Tape

Compiler = Literal["numpy", "numba"]
Kernel = ArrayKernel | CompiledKernel

T, X, U = 0, 1, 2
"""Groups of inputs of f."""


@dataclass(frozen=True)
class Kernels:
    """Kernels of one function; each is generated when it is first asked for."""

    tape: Tape
    compiler: Compiler = "numpy"

    def _kernel(self, tape: Tape) -> Kernel:
        return CompiledKernel(tape) if self.compiler == "numba" else ArrayKernel(tape)

    def _derived(self, kind: str, *wrt: int) -> Kernel:
        return self._kernel(derived(self.tape, kind, wrt))

    @cached_property
    def value(self) -> Kernel:
        """y."""
        return self._kernel(self.tape)

    @cached_property
    def time_derivative(self) -> Kernel:
        """y_t."""
        return self._derived("partial", T)

    @cached_property
    def in_time(self) -> Kernels:
        """The kernels of the same function with t as the last entry of u."""
        from occore.symbolic.builder import Builder

        t, states, controls = self.tape.groups
        builder = Builder((t, states, (controls or 0) + 1))
        *u, time = builder.inputs(U)
        values = builder.replay(self.tape, [time, *builder.inputs(X), *u])
        return kernels(builder.tape(values), self.compiler)

    @cached_property
    def jvp(self) -> Kernel:
        """y_x dx + y_u du."""
        return self._derived("jvp", X, U)

    @cached_property
    def vjp(self) -> Kernel:
        """y_xᵀ py, y_uᵀ py."""
        return self._derived("vjp", X, U)

    @cached_property
    def curvature(self) -> Kernel:
        """The derivative of the vjp along (dx, du)."""
        return self._derived("curvature", X, U)

    @cached_property
    def jacobian(self) -> Kernel:
        """y and the non-zeros of its Jacobian."""
        return self._derived("jacobian", X, U, T)

    @cached_property
    def hessian(self) -> Kernel:
        """Non-zeros of the Hessian of pyᵀ y."""
        return self._derived("hessian", X, U)


def derived(tape: Tape, kind: str, wrt: tuple[int, ...]) -> Tape:
    """A derivative of a tape by its name in `KINDS`, from the cache if it is there."""
    name = cache.key(tape, f"{kind}{wrt}")
    result = cache.load(name)
    if result is None:
        result = KINDS[kind](tape, wrt)
        cache.store(name, result)
    return result


@lru_cache(maxsize=256)
def kernels(tape: Tape, compiler: Compiler = "numpy") -> Kernels:
    """The kernels of a tape, shared by all that have the same."""
    return Kernels(tape, compiler)


def generate(t: Any, x: Any, u: Any, outputs: Any, compiler: Compiler = "numpy") -> Kernels:
    """Kernels of SymPy expressions in the symbol t and the sequences of symbols x and u."""
    from occore.symbolic.lowering import lower

    return kernels(lower([t, x, u], outputs), compiler)
