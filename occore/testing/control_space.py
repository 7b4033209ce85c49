"""What every control space owes: its example, linearity, adjoint, limits and refinement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from occore.arrays import Array
from occore.controls import ControlSpace, evaluate
from occore.example import Example
from occore.grid import Grid
from occore.layout import Layout
from occore.stage_controls import BLOCK_STEPS, Stages
from occore.testing.comparison import EXACT, close, require
from occore.testing.points import Generator, arrays

ROUNDING = 1e-13
STEPS = 4
OFF = 1e-7
"""Relative distance to a break at which the limits from both sides are told apart."""


def _values(space: ControlSpace, c: Array, times: Array, inside: Array, steps: int = STEPS):
    return evaluate(space.basis(steps, times, inside), {"u": c})["u"]


def value(example: Example, rng: Generator) -> None:
    """The controls of the example are the reference numbers."""
    times, u = np.asarray(example.times, float), arrays(example.u)
    inside = np.clip(times, 1e-6, 1 - 1e-6)
    found = evaluate(example.map.basis(example.steps, times, inside), u)
    for name, expected in arrays(example.value).items():
        close(f"{name} at the example", found[name], expected, example.rtol)


def sizes(example: Example, rng: Generator) -> None:
    """A node in [0, 1] and a column of the basis for each coefficient, whatever the steps."""
    space: ControlSpace = example.map
    for steps in (1, 5):
        size, times = space.size(steps), np.linspace(0.01, 0.99, 7)
        shape = space.basis(steps, times, times).shape
        require(shape == (7, size), f"the basis has the shape {shape}, expected {(7, size)}")
        nodes = np.asarray(space.nodes(steps))
        require(nodes.shape == (size,), f"{nodes.shape} nodes for {size} coefficients")
        require(bool(np.all((nodes >= 0) & (nodes <= 1))), f"nodes outside [0, 1]: {nodes}")


def constants(example: Example, rng: Generator) -> None:
    """A constant is in the space: the basis functions sum to one."""
    times = rng.random(20)
    total = example.map.basis(STEPS, times, times).sum(axis=1)
    close("sum of the basis functions", total, np.ones(20), ROUNDING)


def basis(example: Example, rng: Generator) -> None:
    """Rows are those of their times alone, whatever else is asked for; finite up to the ends."""
    space: ControlSpace = example.map
    times = np.concatenate([[0.0], np.sort(rng.random(9)), [1.0]])
    inside = np.clip(times, 1e-9, 1 - 1e-9)
    whole = space.basis(STEPS, times, inside).toarray()
    require(bool(np.all(np.isfinite(whole))), "the basis is not finite on [0, 1]")
    rows = [space.basis(STEPS, times[[k]], inside[[k]]).toarray() for k in range(len(times))]
    close("the basis, row by row", whole, np.vstack(rows), ROUNDING)


def linear(example: Example, rng: Generator) -> None:
    """A control is linear in its coefficients."""
    space, times = example.map, rng.random(5)
    one, two = rng.standard_normal((2, space.size(STEPS), 2))
    sum_of = _values(space, one, times, times) + 2 * _values(space, two, times, times)
    close("linearity", _values(space, one + 2 * two, times, times), sum_of, EXACT)


def stage_controls(example: Example, rng: Generator) -> None:
    """dot(B c, p) == dot(c, Bᵀ p) over the stages of a march, also for a constant control.

    The march has more steps than are kept in one block, on a space with few coefficients.
    """
    space, layout, steps = example.map, Layout({"u": (2,), "g": ()}), 2 * BLOCK_STEPS + 100
    grid, places = Grid.uniform(0.5, 2.0, steps), (0.0, 0.5, 1.0)
    stages = Stages(layout, space, STEPS, frozenset({"g"}), grid, places)
    c = {"u": rng.standard_normal((space.size(STEPS), 2)), "g": np.asarray(rng.standard_normal())}
    p = layout.stacked(len(places)).random(rng)
    controls, gather = stages.controls(c), stages.gather()
    for k in (0, BLOCK_STEPS - 1, BLOCK_STEPS, steps - 1):
        direct = _values(space, c["u"], *grid.stages(places, k, k + 1))
        close(f"stage controls of step {k}", controls[k]["u"], direct, ROUNDING)
        close(f"constant control of step {k}", controls[k]["g"], np.full(3, c["g"]), ROUNDING)
    total = scale = 0.0
    for k in reversed(range(steps)):
        weight = 1.0 + k / steps
        gather.add(k, {name: weight * value for name, value in p.items()})
        for name, value in controls[k].items():
            total += float(np.sum(weight * value * p[name]))
            scale += float(np.sum(np.abs(weight * value * p[name])))
    adjoint = gather.result()
    right = sum(float(np.sum(c[name] * adjoint[name])) for name in layout)
    close("transpose of the stage controls", right, total, ROUNDING, scale)


def one_sided_limits(example: Example, rng: Generator) -> None:
    """At a break `inside` picks the side; everywhere else both sides agree."""
    space: ControlSpace = example.map
    breaks = np.asarray(space.breaks(STEPS))
    ordered = np.all(np.diff(breaks) > 0) and np.all((breaks > 0) & (breaks < 1))
    require(bool(ordered), f"breaks must increase inside (0, 1): {breaks}")
    c = rng.standard_normal((space.size(STEPS), 1))
    size = float(np.linalg.norm(c))
    for s in (*breaks, *np.setdiff1d(np.arange(1, 60) / 60, breaks)):
        limits = []
        for side in (-OFF, OFF):
            at = _values(space, c, np.array([s]), np.array([s + side]))
            near = _values(space, c, np.array([s + side]), np.array([s + side]))
            # members change by their slope times 1e-7 over this distance
            close(f"limit at {s:.4g} from one side", at, near, 1e-4, size)
            limits.append(at)
        if not np.any(np.isclose(s, breaks)):
            close(f"both sides of {s:.4g}, no break", limits[0], limits[1], 1e-9, size)


def derivatives(example: Example, rng: Generator) -> None:
    """`derivative_basis`, where there is one: the differences of the basis inside the pieces."""
    space: ControlSpace = example.map
    if space.derivative_basis is None:
        return
    # points of no piece's end; members are polynomials of degree 3 at most around them
    times, h = (np.arange(24) + 0.37) / 24, 1e-3
    rows = [space.basis(STEPS, times + s * h, times).toarray() for s in (-2, -1, 0, 1, 2)]
    first = (rows[0] - 8 * rows[1] + 8 * rows[3] - rows[4]) / (12 * h)
    second = (-rows[0] + 16 * rows[1] - 30 * rows[2] + 16 * rows[3] - rows[4]) / (12 * h**2)
    for order, expected in ((1, first), (2, second)):
        found = space.derivative_basis(STEPS, times, times, order).toarray()
        size = float(np.linalg.norm(rows[2])) / h**order  # rounding of the differences
        close(f"derivative {order} of the basis", found, expected, ROUNDING, size)


def refinement(example: Example, rng: Generator) -> None:
    """Prolongation onto twice the steps changes no value; its result determines it again."""
    space: ControlSpace = example.map
    finer = [(space, 2 * STEPS)]
    intervals = getattr(space, "intervals", None)
    if intervals is not None:
        finer.append((replace(space, intervals=2 * intervals), STEPS))  # pyright: ignore
        follower = replace(space, intervals=None)  # pyright: ignore
        _refine(follower, follower, 2 * STEPS, rng)
    for onto, steps in finer:
        _refine(space, onto, steps, rng)


def nodes_determine(example: Example, rng: Generator) -> None:
    """The values at the nodes determine a member, well enough to be solved for."""
    space: ControlSpace = example.map
    nodes = np.asarray(space.nodes(STEPS))
    matrix = space.basis(STEPS, nodes, np.clip(nodes, 1e-9, 1 - 1e-9)).toarray()
    require(matrix.shape == (space.size(STEPS),) * 2, f"at the nodes the basis is {matrix.shape}")
    condition = float(np.linalg.cond(matrix))
    require(condition < 1e8, f"the nodes do not determine a member: condition {condition:.1e}")


def _refine(space: ControlSpace, onto: ControlSpace, steps: int, rng: Generator) -> None:
    c = {"u": rng.standard_normal((space.size(STEPS), 2))}
    times = rng.random(40)
    finer = space.prolong(c, STEPS, onto, steps)["u"]
    found, expected = (
        _values(onto, finer, times, times, steps),
        _values(space, c["u"], times, times),
    )
    close("prolongation", found, expected, 1e-11)


def coefficients_by_type(example: Example, rng: Generator) -> None:
    """float32 coefficients give float32 controls of any shape."""
    space: ControlSpace = example.map
    c = {"u": rng.standard_normal((space.size(STEPS), 2, 3)).astype(np.float32)}
    times = np.array([0.2, 0.7])
    u = evaluate(space.basis(STEPS, times, times), c)["u"]
    require(u.dtype == np.float32, f"controls are {u.dtype} for coefficients of float32")
    require(u.shape == (2, 2, 3), f"controls have the shape {u.shape}, not (2, 2, 3)")


CHECKS = (
    value,
    sizes,
    constants,
    basis,
    linear,
    stage_controls,
    one_sided_limits,
    derivatives,
    nodes_determine,
    refinement,
    coefficients_by_type,
)
