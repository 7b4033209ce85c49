"""Source code of tapes: straight-line functions over arrays of samples, or over one sample.

Only operations and numbers are printed; inputs are `g0`, `g1[0]`, … by their place.
"""

from __future__ import annotations

from collections.abc import Sequence

from occore.symbolic.tape import Tape

INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "pow": "**",
    "lt": "<",
    "le": "<=",
    "eq": "==",
}

SCALAR_NAMES = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"} | {
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
}  # fmt: skip
"""Names of functions in Numba, which lacks those of the Array API."""

LOGIC = {"and": "logical_and", "or": "logical_or", "not": "logical_not"}


def array_source(tape: Tape) -> str:
    """`kernel(xp, constant, g0, …)` over arrays of samples, for any namespace of the Array API.

    A vector group is indexed by component, g1[i] being a number or an array (samples,). Returns
    the outputs as a list of numbers and arrays. `constant` makes an array of a number where the
    standard wants one. A variable is reused once its value is not needed, so memory stays warm.
    """
    arguments = ["xp", "constant", *(f"g{i}" for i in range(len(tape.groups)))]
    names = _inputs(tape) + [_literal(value) for value in tape.constants]
    first = len(names)
    last_use = {a: place for place, o in enumerate(tape.operations) for a in o[1:]}
    last_use.update(dict.fromkeys(tape.outputs, len(tape.operations)))
    lines, free, count = _loads(tape, names), [], 0
    for place, (name, *operands) in enumerate(tape.operations):
        texts = [names[operand] for operand in operands]
        if name == "where":
            texts[1:] = [
                f"constant({text})" if operand < first and operand >= tape.inputs else text
                for text, operand in zip(texts[1:], operands[1:], strict=True)
            ]
        free.extend(names[a] for a in set(operands) if a >= first and last_use[a] == place)
        if not free:
            free.append(f"r{count}")
            count += 1
        names.append(free.pop())
        lines.append(f"{names[-1]} = {_array_expression(name, texts)}")
    lines.append(f"return [{', '.join(names[output] for output in tape.outputs)}]")
    return _function("kernel", arguments, lines)


def scalar_source(tape: Tape, name: str, number: str = "") -> str:
    """`name(g0, …, out)` for one sample: vector groups and `out` are one-dimensional arrays.

    `number` is a function of the source's namespace that gives constants their precision.
    """
    arguments = [*(f"g{i}" for i in range(len(tape.groups))), "out"]
    literals = [_literal(value) for value in tape.constants]
    names = _inputs(tape) + [f"{number}({text})" if number else text for text in literals]
    lines = _loads(tape, names)
    for place, (operation, *operands) in enumerate(tape.operations):
        texts = [names[operand] for operand in operands]
        names.append(f"r{place}")
        lines.append(f"r{place} = {_scalar_expression(operation, texts)}")
    lines.extend(f"out[{row}] = {names[value]}" for row, value in enumerate(tape.outputs))
    return _function(name, arguments, lines or ["pass"])


def loop_source(tape: Tape, name: str, point: str, shared: Sequence[bool], number: str) -> str:
    """`name(g0, …, out)` that calls `point` for each sample; a shared group has no samples axis."""
    groups = range(len(tape.groups))
    convert = {i: f"{number}(g{i})" if tape.groups[i] is None else f"g{i}" for i in groups}
    each = [convert[i] if shared[i] else convert[i].replace(f"g{i}", f"g{i}[s]") for i in groups]
    lines = ["for s in range(out.shape[0]):", f"    {point}({', '.join([*each, 'out[s]'])})"]
    return _function(name, [*(f"g{i}" for i in groups), "out"], lines)


def call_source(tape: Tape, name: str, loop: str, shared: Sequence[bool]) -> str:
    """`name(g0, …)` for Python, which returns what `loop` writes; unrolled, to be quick."""
    arguments = [f"g{i}" for i in range(len(tape.groups))]
    lines = [
        f"{g} = float({g})"
        if common and length is None
        else f"{g} = np.ascontiguousarray({g}, dtype)"
        for g, common, length in zip(arguments, shared, tape.groups, strict=True)
    ]
    samples = "1" if all(shared) else f"g{list(shared).index(False)}.shape[0]"
    lines.append(f"out = np.empty(({samples}, {len(tape.outputs)}), dtype)")
    lines.append(f"{loop}({', '.join([*arguments, 'out'])})")
    lines.append("return out[0]" if all(shared) else "return out")
    return _function(name, arguments, lines)


def _function(name: str, arguments: Sequence[str], lines: Sequence[str]) -> str:
    body = "\n".join(f"    {line}" for line in lines)
    return f"def {name}({', '.join(arguments)}):\n{body}\n"


def _inputs(tape: Tape) -> list[str]:
    """A variable for each input."""
    names = []
    for group, length in enumerate(tape.groups):
        names += [f"g{group}"] if length is None else [f"a{group}_{i}" for i in range(length)]
    return names


def _loads(tape: Tape, names: Sequence[str]) -> list[str]:
    """Statements that load the inputs that are used."""
    used = {a for operation in tape.operations for a in operation[1:]} | set(tape.outputs)
    lines, number = [], 0
    for group, length in enumerate(tape.groups):
        for i in range(length or 0):
            if number + i in used:
                lines.append(f"{names[number + i]} = g{group}[{i}]")
        number += 1 if length is None else length
    return lines


def _literal(value: float) -> str:
    """A number, exact; `inf` and `nan` are names of the source's namespace."""
    return f"({value!r})" if str(value).startswith("-") else repr(value)


def _array_expression(name: str, operands: Sequence[str]) -> str:
    if name == "neg" or name in INFIX:
        return _arithmetic(name, operands)
    return f"xp.{LOGIC.get(name, name)}({', '.join(operands)})"


def _scalar_expression(name: str, operands: Sequence[str]) -> str:
    if name == "neg" or name in INFIX:
        return _arithmetic(name, operands)
    if name == "where":
        return f"{operands[1]} if {operands[0]} else {operands[2]}"
    if name == "not":
        return f"not {operands[0]}"
    if name in LOGIC:
        return f"{operands[0]} {name} {operands[1]}"
    return f"np.{SCALAR_NAMES.get(name, name)}({', '.join(operands)})"


def _arithmetic(name: str, operands: Sequence[str]) -> str:
    if name == "neg":
        return f"-{operands[0]}"
    return f"{operands[0]} {INFIX[name]} {operands[1]}"
