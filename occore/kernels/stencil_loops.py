"""The compiled loops of a convolution, over one picture after the other, as texts for Numba.

Each takes flat arrays and plans (`occore.kernels.stencil_plan.Plan.arrays`), and the samples from
`first` to `end`. A picture is padded into a buffer that stays in the cache; what else is done with
it, is done while it is there.

    correlation   y = conv(x; K) + b, or its positive part; and the adjoint, which is one too
    gradient      K = Σ xᵀ p
    back          q = σ'(s) ∘ p, then the adjoint of q, the gradient in K and Σ q

σ' is a polynomial of y = σ(s), or one where y is positive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from occore.kernels.stencil_plan import Plan
from occore.kernels.stencil_source import Text, blocks, divisor, tile_length
from occore.kernels.tile import Registers, Tile, registers
from occore.threads import made_once

LONGEST_WRITTEN_OUT = 8
"""Terms of a run that are written one after the other, in place of a loop."""


class Correlation(NamedTuple):
    """What the text of a correlation has in it: of a plan, the value's channels, the type.

    length: that of every run, if it is short, or 0.
    """

    columns: int
    in_step: int
    out_step: int
    folded: bool
    length: int
    width: int
    itemsize: int
    registers: Registers

    @classmethod
    def of(cls, plan: Plan, width: int, itemsize: int) -> Correlation:
        """Of a plan for a value with so many channels."""
        length = plan.run_length if plan.run_length <= LONGEST_WRITTEN_OUT else 0
        steps = plan.in_steps[1], plan.out_steps[1]
        folded = plan.folds is not None
        return cls(plan.fewest_columns, *steps, folded, length, width, itemsize, registers())


class Gradient(NamedTuple):
    """What the text of a stencil gradient has in it.

    runs: how many; length: a number that divides all of theirs. apart: where all are as long, the
    entries from one to the next, or 0 where these differ too. cells: of the value.
    """

    runs: int
    length: int
    apart: int
    in_step: int
    cells: int
    width: int
    itemsize: int
    registers: Registers

    @classmethod
    def of(cls, plan: Plan, cells: int, width: int, itemsize: int) -> Gradient:
        """Of a plan for a value with so many cells and channels."""
        numbers = len(plan.runs), plan.common_length, plan.runs_apart
        return cls(*numbers, plan.in_steps[1], cells, width, itemsize, registers())


@made_once
def correlation_loop(numbers: Correlation, biased: bool, positive: bool) -> Callable[..., None]:
    """(x, taps, bias, out, plan, first, end); the bias counts where there is one."""
    text = Text()
    _add_correlation(text, numbers, biased, positive)
    text.add(f"""
@njit
def correlation(x, taps, bias, out, plan, first, end):
    copies, phases, runs, folds, steps, sizes = plan
    padded, wide = np.zeros(sizes[1], x.dtype), np.zeros(sizes[3], x.dtype)
    for n in range(first, end):
        put(x, n * sizes[0], padded, copies){_correlated(numbers)}
""")
    return text.function("correlation")


@made_once
def gradient_loop(numbers: Gradient) -> Callable[..., None]:
    """(x, p, total, plan, rows, first, end); rows: the runs (start in the padded picture, columns,
    start in the value) of each row of the value."""
    text = Text()
    _add_gradient(text, numbers)
    text.add("""
@njit
def gradient(x, p, total, plan, rows, first, end):
    copies, _, runs, _, _, sizes = plan
    padded = np.zeros(sizes[1], x.dtype)
    for n in range(first, end):
        put(x, n * sizes[0], padded, copies)
        add_gradient(padded, p, n * sizes[2], total, runs, rows)
""")
    return text.function("gradient")


@made_once
def back_loop(
    adjoint: Correlation | None, gradient: Gradient, polynomial: bool
) -> Callable[..., None]:
    """(x, y, p, taps, c, px, pK, pb, plan, adjoint plan, rows, together, first, end).

    adjoint: of the correlation that gives px; without it px is left as it is. c: the coefficients
    of σ' where it is a polynomial c₀ + c₁ y + c₂ y². pb: (cells_together · channels,), sums over
    every so manieth cell. together: the run of all cells, so many at a time.
    """
    text, lanes = Text(), cells_together(gradient) * gradient.width
    _add_gradient(text, gradient)
    sums = text.tile(Tile(1, lanes, 0, 0, 0, lanes, "out"), "pb, 0, one, 0, together, q, 0, one, 0")
    slope = "(c[0] + value[e] * (c[1] + value[e] * c[2])) * given[e]"
    if not polynomial:
        slope = "given[e] if value[e] > zero else zero"
    px = ""
    if adjoint is not None:
        _add_correlation(text, adjoint, biased=False, positive=False)
        names = "copies, phases, runs, folds, steps, sizes"
        px = f"""
        {names} = adjoint_plan
        put(q, 0, padded, copies){_correlated(adjoint, "px", "one")}"""
    text.add(f"""
@njit
def back(x, y, p, taps, c, px, pK, pb, plan, adjoint_plan, rows, together, first, end):
    begins, _, own, _, _, numbers = plan
    padded, wide = np.zeros(adjoint_plan[5][1], x.dtype), np.zeros(adjoint_plan[5][3], x.dtype)
    picture, q = np.zeros(numbers[1], x.dtype), np.empty(numbers[2], x.dtype)
    zero, one = np.float{8 * gradient.itemsize}(0), np.ones(1, x.dtype)
    for n in range(first, end):
        begin = n * numbers[2]
        value, given = y[begin : begin + numbers[2]], p[begin : begin + numbers[2]]
        for e in range(numbers[2]):
            q[e] = {slope}
        {sums}
        put(x, n * numbers[0], picture, begins)
        add_gradient(picture, q, 0, pK, own, rows){px}
""")
    return text.function("back")


def cells_together(gradient: Gradient) -> int:
    """Cells whose values are summed side by side, since one sum after the other would wait."""
    return divisor(gradient.cells, 8)


def _add_correlation(text: Text, numbers: Correlation, biased: bool, positive: bool) -> None:
    """`correlate`: of one padded picture, to out from the entry `base` on."""
    count, calls = tile_length(numbers.columns), ""
    for first, lanes in blocks(numbers.width, numbers.itemsize):
        tile = Tile(
            count,
            lanes,
            numbers.in_step,
            1,
            numbers.out_step,
            numbers.width,
            "bias" if biased else "zero",
            positive,
            length=numbers.length,
        )
        arguments = f"out, to + {first}, padded, at, part, taps, start + {first}, bias, {first}"
        calls += f"\n                {text.tile(tile, arguments)}"
    text.add(f"""
@njit
def correlate(padded, taps, bias, out, base, phases, runs, steps):
    for q in range(phases.shape[0]):
        part, start = runs[phases[q, 0] : phases[q, 1]], phases[q, 2]
        for i in range(phases[q, 4]):
            for column in range(0, phases[q, 5], {count}):
                j = min(column, phases[q, 5] - {count})
                to = base + phases[q, 3] + i * steps[1] + j * {numbers.out_step}
                at = phases[q, 6] + i * steps[0] + j * {numbers.in_step}{calls}
""")


def _correlated(numbers: Correlation, out: str = "out", bias: str = "bias") -> str:
    """The call of `correlate` for picture n, within a loop over pictures."""
    target, base = ("wide", "0") if numbers.folded else (out, "n * sizes[2]")
    call = f"\n        correlate(padded, taps, {bias}, {target}, {base}, phases, runs, steps)"
    return call + f"\n        fold(wide, {out}, n * sizes[2], folds)" * numbers.folded


def _add_gradient(text: Text, numbers: Gradient) -> None:
    """`add_gradient`: of one padded picture and p from the entry `base` on, to the total.

    Rows of taps that are short are taken several at a time, so that enough sums are under way.
    """
    length = numbers.length
    rows = max(1, min(numbers.runs, numbers.registers.most // length)) if numbers.apart else 1
    count = rows * length if rows > 1 else divisor(length, numbers.registers.accumulators)
    body = ""
    for begin, end, step in _pieces(numbers.runs, rows):
        here = step * length if rows > 1 else count
        calls = ""
        for first, lanes in blocks(numbers.width, numbers.itemsize):
            tile = Tile(
                here,
                lanes,
                1,
                numbers.in_step,
                numbers.width,
                numbers.width,
                "out",
                across=length if rows > 1 else 0,
                sg=numbers.apart,
            )
            arguments = f"total, value + {first}, padded, runs[q, 0] + r, rows, p, base + {first}"
            calls += f"\n            {text.tile(tile, arguments + ', total, 0')}"
        body += f"""
    for q in range({begin}, {end}, {step}):
        for r in range(0, {length if rows > 1 else "runs[q, 1]"}, {here}):{calls}
            value += {here * numbers.width}"""
    text.add(f"""
@njit
def add_gradient(padded, p, base, total, runs, rows):
    value = 0{body}
""")


def _pieces(runs: int, rows: int) -> list[tuple[int, int, int]]:
    """(begin, end, step) of the runs that are taken `rows` at a time, and of those left over."""
    whole = runs - runs % rows
    return [(0, whole, rows), *([(whole, runs, runs - whole)] if whole < runs else [])]
