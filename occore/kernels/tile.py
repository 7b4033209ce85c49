"""A tile: a few accumulators in vector registers, to which outer products are added.

    s_be = start + Σ_runs Σ_{l < length} a[i + α + l sl + place_b] · v[j + β + l sv + e]
    out[o + b so + e] = s_be, or its positive part

for b < count and e < lanes, with the runs (α, length, β) and place_b = (b mod across) sb + (b div
across) sg. It is the inner loop of a product of matrices
whose first factor overlaps itself, as the patches of a picture do, so that they need not be copied
side by side. Numba's own loops keep such accumulators in memory, which costs a factor of ten; so
the loop is written with LLVM's vectors, and LLVM allots the registers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from occore.threads import made_once


class Registers(NamedTuple):
    """Bytes of a vector register, and accumulators: as many as keep the arithmetic busy, and the
    most that fit beside the factors."""

    size: int
    accumulators: int
    most: int


@made_once
def registers() -> Registers:
    """Those of this machine: 32 of 64 bytes with AVX-512, else taken to be 16 of 32 bytes."""
    from llvmlite import binding

    wide = binding.get_host_cpu_features().get("avx512f", False)
    return Registers(64, 16, 28) if wide else Registers(32, 12, 12)


def version(file: str = __file__) -> str:
    """What compiled code depends on besides its text: the contents of a file, by default this."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


@dataclass(frozen=True)
class Tile:
    """The numbers of a tile that its code has in it; letters as in the head of the module.

    start: zero, what is in out, or bias[k + e]. positive: whether negative sums become zero.
    across: accumulators in a group; all by default. length: that of every run, where it is short
    enough for the terms to be written one after the other; 0 where the runs say.
    """

    count: int
    lanes: int
    sb: int
    sl: int
    so: int
    sv: int
    start: Literal["zero", "out", "bias"] = "zero"
    positive: bool = False
    across: int = 0
    sg: int = 0
    length: int = 0

    def place(self, b: int) -> int:
        """place_b."""
        group, within = divmod(b, self.across or self.count)
        return within * self.sb + group * self.sg


@made_once
def compiled(tile: Tile) -> Any:
    """The function `(out, o, a, i, runs, v, j, bias, k)` for Numba.

    out, a, v, bias: flat arrays of one type. runs: (runs, 3) rows (α, length, β).
    """
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    index = ir.IntType(64)

    def codegen(context, builder, signature, arguments):
        arrays = {
            place: context.make_array(signature.args[place])(context, builder, arguments[place])
            for place in (0, 2, 4, 5, 7)
        }
        out, a, runs, v, bias = (array.data for array in arrays.values())
        o, i, j, k = (
            context.cast(builder, arguments[place], signature.args[place], types.int64)
            for place in (1, 3, 6, 8)
        )
        scalar = context.get_data_type(signature.args[0].dtype)
        vector = ir.VectorType(scalar, tile.lanes)
        size = context.get_abi_sizeof(scalar)
        unknown = ir.Constant(vector, ir.Undefined)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), tile.lanes), [0] * tile.lanes)
        zero = vector([0.0] * tile.lanes)

        def at(base, offset, step):
            place = builder.gep(base, [builder.add(offset, ir.Constant(index, step))])
            return builder.bitcast(place, vector.as_pointer())

        def repeated(number):
            first = builder.insert_element(unknown, number, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(first, unknown, everywhere)

        def started(b):
            if tile.start == "zero":
                return zero
            place = at(out, o, b * tile.so) if tile.start == "out" else at(bias, k, 0)
            return builder.load(place, align=size)

        sums = [cgutils.alloca_once(builder, vector) for _ in range(tile.count)]
        for b, total in enumerate(sums):
            builder.store(started(b), total)

        def add_term(begin, row, step_a, step_v):
            factor = builder.load(at(v, row, step_v), align=size)
            for b, total in enumerate(sums):
                there = builder.add(begin, ir.Constant(index, step_a + tile.place(b)))
                number = repeated(builder.load(builder.gep(a, [there])))
                product = builder.fmul(number, factor, flags=("contract",))
                added = builder.fadd(builder.load(total), product, flags=("contract",))
                builder.store(added, total)

        with cgutils.for_range(builder, builder.extract_value(arrays[4].shape, 0)) as run:
            first = builder.mul(run.index, ir.Constant(index, 3))
            alpha, length, beta = (
                builder.load(builder.gep(runs, [builder.add(first, ir.Constant(index, column))]))
                for column in range(3)
            )
            begin, row = builder.add(i, alpha), builder.add(j, beta)
            if tile.length:
                for term in range(tile.length):
                    add_term(begin, row, term * tile.sl, term * tile.sv)
            else:
                here = cgutils.alloca_once_value(builder, row)
                with cgutils.for_range(builder, length) as term:
                    step_a = builder.mul(term.index, ir.Constant(index, tile.sl))
                    row = builder.load(here)
                    add_term(builder.add(begin, step_a), row, 0, 0)
                    builder.store(builder.add(row, ir.Constant(index, tile.sv)), here)
        for b, total in enumerate(sums):
            result = builder.load(total)
            if tile.positive:  # as maximum(s, 0): what is not a number stays so
                negative = builder.fcmp_ordered("<", result, zero)
                result = builder.select(negative, zero, result)
            builder.store(result, at(out, o, b * tile.so), align=size)
        return context.get_dummy_value()

    @intrinsic
    def multiply(typingctx, out, o, a, i, runs, v, j, bias, k):
        return types.void(out, o, a, i, runs, v, j, bias, k), codegen

    return multiply
