"""Derivatives of tapes, as tapes: y = f(w, …), with w the inputs of the groups that `wrt` names.

    partial      y_t for a group t of one number     forward mode
    jvp          y_w dw                              forward mode
    vjp          y_wᵀ p                              reverse mode
    curvature    d/dε y_w(w + ε dw)ᵀ p               forward over reverse mode
    jacobian     y and the non-zeros of y_w          forward mode with sparse tangents
    hessian      non-zeros of (pᵀ y)_ww              the same over reverse mode; lower triangle

Source: Griewank and Walther, Evaluating Derivatives (2008), chapters 3, 5 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from occore.symbolic.builder import Builder
from occore.symbolic.partials import CONSTANT, partials
from occore.symbolic.tape import Groups, Tape, size

Tangents = dict[int, int]
"""Non-zero tangents of a node, by direction."""


def forward(builder: Builder, seeds: Mapping[int, Tangents]) -> dict[int, Tangents]:
    """Tangents of all nodes that depend on the seeded ones. A zero tangent is left out."""
    tangents = dict(seeds)
    zero = builder.constant(0)
    for number in range(len(builder.nodes)):
        name, *operands = builder.nodes[number]
        if name in ("input", "constant") or name in CONSTANT or number in tangents:
            continue
        active = [tangents.get(operand, {}) for operand in operands]
        directions = dict.fromkeys(direction for tangent in active for direction in tangent)
        if name == "where":
            _, a, b = active
            tangents[number] = {
                d: builder.operation("where", operands[0], a.get(d, zero), b.get(d, zero))
                for d in directions
                if d in a or d in b
            }
        elif directions:
            local = partials(builder, number)
            found = {d: _product(builder, local, [t.get(d) for t in active]) for d in directions}
            tangents[number] = {d: value for d, value in found.items() if value != zero}
    return tangents


def _product(builder: Builder, local: Sequence[int], tangent: Sequence[int | None]) -> int:
    """Σ of the partial derivatives times the tangents that are not zero."""
    total = builder.constant(0)
    for derivative, factor in zip(local, tangent, strict=True):
        if factor is not None:
            total = builder.operation("add", total, builder.operation("mul", derivative, factor))
    return total


def reverse(builder: Builder, seeds: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Adjoints of all nodes that the seeded ones depend on; seeds are (node, adjoint).

    A node that only branches of `where` use may be infinite or NaN where they are not taken, and
    0 · NaN is not 0: so its contributions are chosen by the condition of its uses, its guard.
    """
    zero, op = builder.constant(0), builder.operation
    adjoints: dict[int, int] = {}
    guards: dict[int, int | None] = {}

    def contribute(number: int, value: int, guard: int | None) -> None:
        if value == zero:
            return
        if number in adjoints:
            other = guards[number]
            either = None if guard is None or other is None else op("or", other, guard)
            guards[number] = either
            adjoints[number] = op("add", adjoints[number], value)
        else:
            adjoints[number], guards[number] = value, guard

    for output, adjoint in seeds:
        contribute(output, adjoint, None)
    for number in range(max(adjoints, default=-1), -1, -1):
        name, *operands = builder.nodes[number]
        if number not in adjoints or name in ("input", "constant") or name in CONSTANT:
            continue
        adjoint, guard = adjoints[number], guards[number]
        if name == "where":
            condition, a, b = operands
            contribute(a, op("where", condition, adjoint, zero), _both(builder, guard, condition))
            negated = op("not", condition)
            contribute(b, op("where", condition, zero, adjoint), _both(builder, guard, negated))
            continue
        for operand, derivative in zip(operands, partials(builder, number), strict=True):
            if operand not in builder.constants:
                value = op("mul", derivative, adjoint)
                if guard is not None and derivative not in builder.constants:
                    value = op("where", guard, value, zero)
                contribute(operand, value, guard)
    return adjoints


def _both(builder: Builder, guard: int | None, condition: int) -> int:
    return condition if guard is None else builder.operation("and", guard, condition)


def _groups(tape: Tape, wrt: Sequence[int]) -> Groups:
    return tuple(tape.groups[group] for group in wrt)


def _variables(builder: Builder, wrt: Sequence[int]) -> list[int]:
    return [number for group in wrt for number in builder.inputs(group)]


def _gradient(tape: Tape, wrt: Sequence[int], extra: Groups) -> tuple[Builder, list[int]]:
    """A builder with further groups for p and `extra`, and y_wᵀ p in it."""
    builder = Builder((*tape.groups, len(tape.outputs), *extra))
    outputs = builder.replay(tape, range(tape.inputs))
    adjoints = reverse(builder, zip(outputs, builder.inputs(len(tape.groups)), strict=True))
    zero = builder.constant(0)
    return builder, [adjoints.get(number, zero) for number in _variables(builder, wrt)]


def _along(builder: Builder, outputs: list[int], variables: list[int], d: Iterable[int]) -> Tape:
    """Tangents of the outputs where the variables have the tangents d."""
    seeds = {variable: {0: tangent} for variable, tangent in zip(variables, d, strict=True)}
    tangents, zero = forward(builder, seeds), builder.constant(0)
    return builder.tape([tangents.get(output, {}).get(0, zero) for output in outputs])


def partial(tape: Tape, wrt: Sequence[int]) -> Tape:
    """y_t. `wrt` names one group of one number."""
    builder = Builder(tape.groups)
    outputs = builder.replay(tape, range(tape.inputs))
    return _along(builder, outputs, _variables(builder, wrt), [builder.constant(1)])


def jvp(tape: Tape, wrt: Sequence[int]) -> Tape:
    """y_w dw; the groups of dw follow those of the tape."""
    builder = Builder((*tape.groups, *_groups(tape, wrt)))
    outputs = builder.replay(tape, range(tape.inputs))
    tangents = range(tape.inputs, size(builder.groups))
    return _along(builder, outputs, _variables(builder, wrt), tangents)


def vjp(tape: Tape, wrt: Sequence[int]) -> Tape:
    """y_wᵀ p; the group of p follows those of the tape."""
    builder, gradient = _gradient(tape, wrt, ())
    return builder.tape(gradient)


def curvature(tape: Tape, wrt: Sequence[int]) -> Tape:
    """The derivative of y_wᵀ p along dw; the groups of p and of dw follow those of the tape."""
    builder, gradient = _gradient(tape, wrt, _groups(tape, wrt))
    tangents = range(tape.inputs + len(tape.outputs), size(builder.groups))
    return _along(builder, gradient, _variables(builder, wrt), tangents)


def jacobian(tape: Tape, wrt: Sequence[int]) -> Tape:
    """y and then the non-zeros of y_w by rows; `pattern` has their places."""
    builder = Builder(tape.groups)
    outputs = builder.replay(tape, range(tape.inputs))
    found = _nonzeros(builder, outputs, _variables(builder, wrt))
    return builder.tape([*outputs, *found.values()], list(found))


def hessian(tape: Tape, wrt: Sequence[int]) -> Tape:
    """Non-zeros of the lower triangle of (pᵀ y)_ww by rows; the group of p follows the others."""
    builder, gradient = _gradient(tape, wrt, ())
    found = _nonzeros(builder, gradient, _variables(builder, wrt))
    lower = {place: number for place, number in found.items() if place[0] >= place[1]}
    return builder.tape(list(lower.values()), list(lower))


def _nonzeros(
    builder: Builder, outputs: Sequence[int], variables: Sequence[int]
) -> dict[tuple[int, int], int]:
    """Derivatives of the outputs that are not zero, by (output, variable)."""
    one, zero = builder.constant(1), builder.constant(0)
    rows: list[dict[int, int]] = []
    if 2 * len(outputs) < len(variables):  # reverse mode costs one sweep for each output
        for output in outputs:
            adjoints = reverse(builder, [(output, one)])
            rows.append({j: adjoints[v] for j, v in enumerate(variables) if v in adjoints})
    else:
        tangents = forward(builder, {v: {j: one} for j, v in enumerate(variables)})
        for output in outputs:
            found = tangents.get(output, {})
            rows.append({j: found[j] for j in range(len(variables)) if j in found})
    return {(i, j): v for i, row in enumerate(rows) for j, v in row.items() if v != zero}


KINDS = {f.__name__: f for f in (partial, jvp, vjp, curvature, jacobian, hessian)}
"""Every derivative of a tape, by name."""
