"""Exact derivatives of traced model code, to check hand-written products against.

The model runs on symbols at a tiny size. SymPy finds the common subexpressions and differentiates
each of them; the chain rule joins these small derivatives in forward mode. Nothing is shared with
the generated kernels but SymPy itself, so that the one can check the other.

    symbol        code                meaning
    w = (x, u)    inputs, point       all inputs, as one vector
    y             outputs             entries of the value
    J = y_w       jacobian            its entries that are not zero
    dw, py        d, py               direction, adjoint
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from sympy.printing.numpy import NumPyPrinter

from occore.arrays import Array, Controls
from occore.dynamics import Dynamics, StateShape
from occore.layout import Layout
from occore.objective import ControlObjective, PhaseControls, TerminalObjective
from occore.symbolic.array import SymbolicArray, symbols

Program = list[tuple[Any, Any]]
"""Assignments (symbol, expression) in order."""

Tangents = dict[Any, dict[int, Any]]
"""Non-zero tangents of each symbol, by direction."""


@dataclass(frozen=True)
class TracedMap:
    """A map y(x, u) as expressions, with all products of its derivatives, for NumPy arguments."""

    x_shape: tuple[int, ...]
    controls: Layout
    inputs: tuple[sympy.Symbol, ...]
    outputs: tuple[Any, ...]
    y_shape: tuple[int, ...]

    def value(self, x: Array, u: Controls) -> Array:
        """y, of shape y_shape."""
        return np.asarray(self._value(self._flat(x, u))).reshape(self.y_shape)

    def jacobian(self, x: Array, u: Controls) -> Array:
        """y_w: (entries of y, entries of x and then of u)."""
        return self._matrix(self._jacobian(self._flat(x, u)))

    def hessian_along(self, x: Array, u: Controls, dx: Array, du: Controls) -> Array:
        """The derivative of `jacobian` along (dx, du)."""
        return self._matrix(self._second(self._flat(x, u), self._flat(dx, du)))

    def jvp(self, x: Array, u: Controls, dx: Array, du: Controls) -> Array:
        """y_x dx + y_u du, of shape y_shape."""
        return (self.jacobian(x, u) @ self._flat(dx, du)).reshape(self.y_shape)

    def vjp(self, x: Array, u: Controls, py: Array) -> tuple[Array, Controls]:
        """(y_xᵀ py, y_uᵀ py); py has the shape of y."""
        return self._split(np.ravel(py) @ self.jacobian(x, u))

    def curvature(
        self, x: Array, u: Controls, py: Array, dx: Array, du: Controls
    ) -> tuple[Array, Controls]:
        """The derivative of `vjp` along (dx, du)."""
        return self._split(np.ravel(py) @ self.hessian_along(x, u, dx, du))

    @cached_property
    def _program(self) -> tuple[Program, list[Any]]:
        names = sympy.numbered_symbols("s", cls=sympy.Dummy, real=True)
        outputs = [piecewise(y) for y in self.outputs]
        # An argument that is asked for itself gets a name even where it occurs but once, so that
        # no derivative of a function repeats it: layers are derived in less than half the time.
        functions = (f for y in outputs for f in y.atoms(sympy.Function))
        arguments = sorted(
            {a for f in functions for a in f.args if isinstance(a, sympy.Expr)},
            key=sympy.default_sort_key,
        )
        program, found = sympy.cse([*outputs, *arguments], symbols=names)
        return program, found[: len(outputs)]

    @cached_property
    def _derivative(self) -> tuple[Program, dict[tuple[int, int], Any]]:
        """The program with its derivatives, and the entries of J that are not zero."""
        seeds = {w: {j: sympy.S.One} for j, w in enumerate(self.inputs)}
        program, rows = forward(*self._program, seeds)
        return program, {(i, j): dy for i, row in enumerate(rows) for j, dy in row.items()}

    @cached_property
    def _value(self) -> Callable[..., Any]:
        return _numeric([self.inputs], *self._program)

    @cached_property
    def _jacobian(self) -> Callable[..., Any]:
        program, entries = self._derivative
        return _numeric([self.inputs], program, list(entries.values()))

    @cached_property
    def _second(self) -> Callable[..., Any]:
        program, entries = self._derivative
        d = [sympy.Dummy(f"d{i}", real=True) for i in range(len(self.inputs))]
        seeds = {w: {0: dw} for w, dw in zip(self.inputs, d, strict=True)}
        program, tangents = forward(program, list(entries.values()), seeds)
        values = [tangent.get(0, sympy.S.Zero) for tangent in tangents]
        return _numeric([self.inputs, d], program, values)

    def _matrix(self, values: Sequence[float]) -> Array:
        matrix = np.zeros((len(self.outputs), len(self.inputs)))
        for place, value in zip(self._derivative[1], values, strict=True):
            matrix[place] = value
        return matrix

    def _flat(self, x: Array, u: Controls) -> Array:
        return np.concatenate([np.ravel(x), *(np.ravel(u[name]) for name in self.controls)])

    def _split(self, w: Array) -> tuple[Array, Controls]:
        size = math.prod(self.x_shape)
        return w[:size].reshape(self.x_shape), self.controls.unflatten(w[size:])


def forward(
    program: Program, outputs: Sequence[Any], seeds: Mapping[Any, Mapping[int, Any]]
) -> tuple[Program, list[dict[int, Any]]]:
    """Forward mode: the program with the tangents of its symbols, and those of the outputs."""
    tangents: Tangents = {symbol: dict(seed) for symbol, seed in seeds.items()}
    result: Program = []

    def tangent(expression: Any) -> dict[int, Any]:
        total: dict[int, Any] = {}
        if not isinstance(expression, sympy.Expr):  # a condition
            return total
        for symbol in sorted(expression.free_symbols & tangents.keys(), key=str):
            partial = _partial(expression, symbol)
            for direction, d in tangents[symbol].items():
                total[direction] = total.get(direction, 0) + partial * d
        return {direction: d for direction, d in total.items() if d != 0}

    def named(expression: Any) -> Any:
        if expression.is_Atom:
            return expression
        symbol = sympy.Dummy("d", real=True)
        result.append((symbol, expression))
        return symbol

    for symbol, expression in program:
        result.append((symbol, expression))
        tangents[symbol] = {d: named(value) for d, value in tangent(expression).items()}
    return result, [tangent(output) for output in outputs]


def _partial(expression: Any, symbol: Any) -> Any:
    """∂/∂symbol; branch by branch, since SymPy would try to simplify the conditions."""
    if not isinstance(expression, sympy.Piecewise):
        return expression.diff(symbol)
    pairs: Any = expression.args
    branches = [(_partial(branch, symbol), condition) for branch, condition in pairs]
    if len({branch for branch, _ in branches}) == 1:
        return branches[0][0]
    return sympy.Piecewise(*branches, evaluate=False)


def piecewise(expression: Any) -> Any:
    """The expression without Abs and sign, which SymPy makes of roots of squares."""

    def branches(a: Any, *, below: Any, above: Any) -> Any:
        condition = sympy.Lt(a, 0, evaluate=False)
        return sympy.Piecewise((below, condition), (above, True), evaluate=False)

    expression = expression.replace(sympy.Abs, lambda a: branches(a, below=-a, above=a))
    return expression.replace(
        sympy.sign, lambda a: branches(a, below=-1, above=branches(-a, below=1, above=0))
    )


class _Printer(NumPyPrinter):
    """Prints a rational number as the nearest double, since p and q may overflow where p / q does
    not, and Piecewise as it stands, since NumPyPrinter would simplify the conditions.
    """

    def _print_Rational(self, expr: Any) -> str:
        return repr(int(expr.p) / int(expr.q))

    def _print_Piecewise(self, expr: Any) -> str:
        text = "nan"
        for value, condition in reversed(expr.args):
            branch = self._print(value)
            certain = condition == sympy.true
            text = branch if certain else f"where({self._print(condition)}, {branch}, {text})"
        return text


def _numeric(
    arguments: Sequence[Any], program: Program, outputs: Sequence[Any]
) -> Callable[..., Any]:
    """The function of NumPy vectors that runs the program and returns the outputs as a list."""
    settings = {"fully_qualified_modules": False, "inline": True}
    function = sympy.lambdify(
        arguments,
        list(outputs),
        "numpy",
        printer=_Printer({**settings, "allow_unknown_functions": True}),
        cse=lambda expression: (program, expression),  # pyright: ignore[reportArgumentType]
    )

    def evaluate(*vectors: Array) -> Any:
        with np.errstate(all="ignore"):  # Piecewise evaluates the branches that it does not take
            return function(*vectors)

    return evaluate


def trace(
    function: Callable[[SymbolicArray, dict[str, Any]], Any],
    x_shape: tuple[int, ...],
    controls: Layout,
) -> TracedMap:
    """Run function(x, u) on symbols of these shapes."""
    x = symbols("x", x_shape)
    u = {name: symbols(f"u{i}", shape) for i, (name, shape) in enumerate(controls.shapes.items())}
    y = function(x, u)
    flat = [x.entries.ravel(), *(u[name].entries.ravel() for name in controls)]
    return TracedMap(
        tuple(x_shape), controls, tuple(np.concatenate(flat)), tuple(y.entries.flat), y.shape
    )


def traced(dynamics: Dynamics, t: float, state_shape: StateShape, samples: int = 2) -> TracedMap:
    """f(t, x, u) at one time; two samples show whether vjp sums over them."""
    return trace(lambda x, u: dynamics(t, x, u), (samples, *state_shape), dynamics.controls)


def traced_terminal(objective: TerminalObjective, target: Array, x_shape: StateShape) -> TracedMap:
    """Φ(x; target) of end states x (samples, *shape); its vjp of 1 is the gradient."""
    return trace(lambda x, u: objective(x, target), x_shape, Layout({}))


def traced_controls(objective: ControlObjective, layouts: Mapping[str, Layout]) -> TracedMap:
    """R of the controls of phases with these layouts, named `phase/control` here; x is empty."""
    whole = Layout({})
    for phase, layout in layouts.items():
        whole = whole + layout.prefixed(phase)

    def function(x: Any, u: dict[str, Any]) -> Any:
        controls: PhaseControls = {
            phase: {name: u[f"{phase}/{name}"] for name in layout}
            for phase, layout in layouts.items()
        }
        return objective(controls)

    return trace(function, (0,), whole)
