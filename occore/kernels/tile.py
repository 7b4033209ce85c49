"""A tile: a few accumulators in vector registers, to which outer products are added.

    out[o + b so + e] (+)= Σ_runs Σ_{l < length} a[i + offset + l sl + b sb] · v[j + m sv + e]

for b < count and e < lanes, where m counts all terms of the sum, in order. It is the inner loop of
a product of matrices whose first factor overlaps itself, as the patches of a picture do, so that
they need not be copied side by side. Numba's own loops keep such accumulators in memory, which
costs a factor of ten; so the loop is written with LLVM's vectors, and LLVM allots the registers.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

from occore.threads import made_once


class Registers(NamedTuple):
    """Bytes of a vector register, and accumulators that fit beside the factors."""

    size: int
    accumulators: int


@made_once
def registers() -> Registers:
    """Those of this machine: 32 of 64 bytes with AVX-512, else taken to be 16 of 32 bytes."""
    from llvmlite import binding

    wide = binding.get_host_cpu_features().get("avx512f", False)
    return Registers(64, 16) if wide else Registers(32, 12)


def version() -> str:
    """What the compiled code depends on besides its text: the contents of this file."""
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]


@made_once
def tile() -> Any:
    """The function `tile(out, o, a, i, runs, v, j, count, lanes, sb, sl, so, sv, add)` for Numba.

    out, a, v: flat arrays of one type. runs: (runs, 2) pairs (offset, length). The last seven
    arguments are written as numbers. add: 1 adds to out, 0 overwrites it.
    """
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.extending import intrinsic

    index = ir.IntType(64)

    @intrinsic(prefer_literal=True)
    def tile(typingctx, out, o, a, i, runs, v, j, count, lanes, sb, sl, so, sv, add):
        constants = (count, lanes, sb, sl, so, sv, add)
        if not all(isinstance(given, types.IntegerLiteral) for given in constants):
            return None
        numbers = [given.literal_value for given in constants]

        def codegen(context, builder, signature, arguments):
            count, lanes, sb, sl, so, sv, add = numbers
            arrays = {
                place: context.make_array(signature.args[place])(context, builder, arguments[place])
                for place in (0, 2, 4, 5)
            }
            out, a, runs, v = (array.data for array in arrays.values())
            o, i, j = arguments[1], arguments[3], arguments[6]
            scalar = context.get_data_type(signature.args[0].dtype)
            vector = ir.VectorType(scalar, lanes)
            size = context.get_abi_sizeof(scalar)
            unknown = ir.Constant(vector, ir.Undefined)
            everywhere = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)

            def at(base, offset, step):
                place = builder.gep(base, [builder.add(offset, ir.Constant(index, step))])
                return builder.bitcast(place, vector.as_pointer())

            def repeated(number):
                first = builder.insert_element(unknown, number, ir.Constant(ir.IntType(32), 0))
                return builder.shuffle_vector(first, unknown, everywhere)

            sums = [cgutils.alloca_once(builder, vector) for _ in range(count)]
            for b, total in enumerate(sums):
                start = (
                    builder.load(at(out, o, b * so), align=size) if add else vector([0.0] * lanes)
                )
                builder.store(start, total)
            row = cgutils.alloca_once_value(builder, j)
            with cgutils.for_range(builder, builder.extract_value(arrays[4].shape, 0)) as run:
                pair = builder.mul(run.index, ir.Constant(index, 2))
                offset = builder.load(builder.gep(runs, [pair]))
                pair = builder.add(pair, ir.Constant(index, 1))
                length = builder.load(builder.gep(runs, [pair]))
                begin = builder.add(i, offset)
                with cgutils.for_range(builder, length) as term:
                    m = builder.load(row)
                    factor = builder.load(at(v, m, 0), align=size)
                    builder.store(builder.add(m, ir.Constant(index, sv)), row)
                    step = builder.mul(term.index, ir.Constant(index, sl))
                    place = builder.add(begin, step)
                    for b, total in enumerate(sums):
                        there = builder.add(place, ir.Constant(index, b * sb))
                        number = repeated(builder.load(builder.gep(a, [there])))
                        product = builder.fmul(number, factor, flags=("contract",))
                        added = builder.fadd(builder.load(total), product, flags=("contract",))
                        builder.store(added, total)
            for b, total in enumerate(sums):
                builder.store(builder.load(total), at(out, o, b * so), align=size)
            return context.get_dummy_value()

        arguments = (out, o, a, i, runs, v, j, *constants)
        return types.void(*arguments), codegen

    return tile
