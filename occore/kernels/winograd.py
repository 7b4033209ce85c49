"""Convolutions with 3 × 3 taps by Winograd's algorithm, which saves multiplications.

Of two cells by two of the value, with the 4 × 4 cells X that they read, for each pair of channels:

    y = Aᵀ [(G K Gᵀ) ⊙ (Bᵀ X B)] A              16 products in place of 36
    K̄ = Gᵀ [Σ (Bᵀ X B) ⊙ (A p Aᵀ)] G            its transpose in K, summed over all tiles

The entries of Bᵀ and Aᵀ are 0 and ±1, those of G 0, 1 and ±½: the errors stay those of rounding.
Lavin and Gray, Fast algorithms for convolutional neural networks, CVPR 2016, section 4.1. The sums
over channels (and over tiles) are products of matrices, one for each of 16 places, made by
`occore.kernels.tile`; a row of tiles stays in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from occore.arrays import Array
from occore.kernels.stencil_source import Text, blocks
from occore.kernels.tile import Tile, version
from occore.threads import made_once

Matrix = tuple[tuple[int, ...], ...]

B_TRANSPOSED: Matrix = ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1))
A: Matrix = ((1, 0), (1, 1), (1, -1), (0, -1))
A_TRANSPOSED: Matrix = ((1, 1, 1, 0), (0, 1, -1, -1))
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])

TAPS = 3, 3
PLACES = 16
MOST_TILES = 28
"""Whose transformed cells are kept at a time, for the gradient: their sums go on in registers."""
FEWEST_CHANNELS = 8
FEWEST_PAIRS = 128
"""In and out, and of them; with fewer the sums that transform the cells cost more than the products
saved."""


def gains(channels_in: int, channels_out: int) -> bool:
    """Whether it is faster for so many channels."""
    few = min(channels_in, channels_out) < FEWEST_CHANNELS
    return not few and channels_in * channels_out >= FEWEST_PAIRS


def spread(taps: Array) -> Array:
    """G K Gᵀ of taps (3, 3, channels_in, channels_out): (16, channels_in, channels_out)."""
    M = G.astype(taps.dtype)
    return np.einsum("pi,qj,ijcd->pqcd", M, M, taps).reshape(PLACES, *taps.shape[2:])


def gathered(sums: Array) -> Array:
    """Gᵀ S G of sums (16, channels_in, channels_out): (3, 3, channels_in, channels_out)."""
    M, S = G.astype(sums.dtype), sums.reshape(4, 4, *sums.shape[1:])
    return np.einsum("pi,qj,pqcd->ijcd", M, M, S)


@made_once
def correlation(
    count: int, channels_in: int, width: int, itemsize: int, folded: bool
) -> Callable[..., None]:
    """As `occore.kernels.stencil_loops.correlation_loop`, for taps that are spread; without a bias.

    count: tiles in registers at a time.
    """
    target, base = ("wide", "") if folded else ("out", "n * sizes[2] + ")
    fold = "\n        fold(wide, out, n * sizes[2], folds)" * folded
    spreads = "".join(
        f"""
                    spread(V, {c} + t * {channels_in}, {4 * count * channels_in},
                           {count * channels_in}, padded, place + {c}, steps[0],
                           {channels_in}, {lanes})"""
        for c, lanes in blocks(channels_in, itemsize)
    )
    text, tiles = Text(version(__file__)), ""
    for first, lanes in blocks(width, itemsize):
        call = text.tile(
            Tile(count, lanes, channels_in, 1, width, width),
            f"""M, k * {count * width} + {first}, V, k * {count * channels_in}, whole,
                         taps, k * {channels_in * width} + {first}, taps, 0""",
        )
        tiles += f"\n                    {call}"
    gathers = "".join(
        f"""
                    gather({target}, value + {first}, steps[1], {width}, M, {first} + t * {width},
                           {4 * count * width}, {count * width}, {lanes})"""
        for first, lanes in blocks(width, itemsize)
    )
    text.add(f"""
@njit
def correlation(x, taps, bias, out, plan, first, end):
    copies, phases, runs, folds, steps, sizes = plan
    padded, wide = np.zeros(sizes[1], x.dtype), np.zeros(sizes[3], x.dtype)
    origin, whole = phases[0, 6] + runs[0, 0], np.array([[0, {channels_in}, 0]])
    V = np.empty({PLACES * count * channels_in}, x.dtype)
    M = np.empty({PLACES * count * width}, x.dtype)
    for n in range(first, end):
        put(x, n * sizes[0], padded, copies)
        for i in range(0, phases[0, 4], 2):
            for column in range(0, phases[0, 5], {2 * count}):
                j = min(column, phases[0, 5] - {2 * count})
                for t in range({count}):
                    place = origin + i * steps[0] + (j + 2 * t) * {channels_in}{spreads}
                for k in range({PLACES}):{tiles}
                for t in range({count}):
                    value = {base}phases[0, 3] + i * steps[1] + (j + 2 * t) * {width}{gathers}{fold}
""")
    ends = {"spread": sandwich(B_TRANSPOSED), "gather": sandwich(A_TRANSPOSED)}
    return text.function("correlation", **ends)


@made_once
def gradient(count: int, channels_in: int, width: int, itemsize: int) -> Callable[..., None]:
    """The sums over all tiles of (Bᵀ X B) ⊙ (A p Aᵀ), channels by channels.

    count: channels in that are in registers at a time.
    """
    spreads = "".join(
        f"""
                spread(V, {c} + t * {channels_in}, 4 * deep_in, deep_in,
                       padded, place + {c}, in_row, {channels_in}, {lanes})"""
        for c, lanes in blocks(channels_in, itemsize)
    )
    scatters = "".join(
        f"""
                scatter(P, {first} + t * {width}, 4 * deep_out, deep_out,
                        p, value + {first}, out_row, {width}, {lanes})"""
        for first, lanes in blocks(width, itemsize)
    )
    text, tiles = Text(version(__file__)), ""
    for first, lanes in blocks(width, itemsize):
        call = text.tile(
            Tile(count, lanes, 1, channels_in, width, width, "out"),
            f"""total, (k * {channels_in} + c) * {width} + {first}, V, k * deep_in + c,
                         many, P, k * deep_out + {first}, total, 0""",
        )
        tiles += f"\n                    {call}"
    text.add(f"""
@njit
def gradient(x, p, total, plan, rows, columns, first, end):
    copies, _, _, _, steps, sizes = plan
    in_row = steps[0]
    padded = np.zeros(sizes[1], x.dtype)
    across, tiles, out_row = columns // 2, rows * columns // 4, columns * {width}
    most = min({MOST_TILES}, tiles)
    deep_in, deep_out = most * {channels_in}, most * {width}
    V, P = np.empty({PLACES} * deep_in, x.dtype), np.empty({PLACES} * deep_out, x.dtype)
    for n in range(first, end):
        put(x, n * sizes[0], padded, copies)
        for top in range(0, tiles, most):
            for t in range(min(most, tiles - top)):
                i, j = 2 * ((top + t) // across), 2 * ((top + t) % across)
                place = i * in_row + j * {channels_in}
                value = n * sizes[2] + i * out_row + j * {width}{spreads}{scatters}
            many = np.array([[0, min(most, tiles - top), 0]])
            for k in range({PLACES}):
                for c in range(0, {channels_in}, {count}):{tiles}
""")
    return text.function("gradient", spread=sandwich(B_TRANSPOSED), scatter=sandwich(A))


@made_once
def sandwich(matrix: Matrix) -> Any:
    """The function `sandwich(out, o, down, across, a, i, a_down, a_across, lanes)` for Numba.

    It writes M X Mᵀ, for a matrix M of zeros and ±1 and a square X of vectors of so many lanes,
    which stay in registers. Entry (k, l) of X is at i + k a_down + l a_across, of the value at
    o + k down + l across.
    """
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    @intrinsic(prefer_literal=True)
    def sandwich(typingctx, out, o, down, across, a, i, a_down, a_across, lanes):
        if not isinstance(lanes, types.IntegerLiteral):
            return None
        width = lanes.literal_value

        def codegen(context, builder, signature, arguments):
            data = {
                place: context.make_array(signature.args[place])(
                    context, builder, arguments[place]
                ).data
                for place in (0, 4)
            }
            numbers = [
                context.cast(builder, argument, kind, types.int64)
                for argument, kind in zip(arguments, signature.args, strict=True)
                if not isinstance(kind, types.Array)
            ]
            o, down, across, i, a_down, a_across, _ = numbers
            scalar = context.get_data_type(signature.args[0].dtype)
            vector = ir.VectorType(scalar, width)
            size = context.get_abi_sizeof(scalar)

            def at(base, start, k, down, m, across):
                k, m = ir.Constant(ir.IntType(64), k), ir.Constant(ir.IntType(64), m)
                row = builder.add(start, builder.mul(k, down))
                place = builder.gep(base, [builder.add(row, builder.mul(m, across))])
                return builder.bitcast(place, vector.as_pointer())

            def combined(row, terms):
                total = None
                for sign, term in zip(row, terms, strict=True):
                    if sign and total is None:
                        total = term if sign > 0 else builder.fneg(term)
                    elif sign:
                        total = (builder.fadd if sign > 0 else builder.fsub)(total, term)
                return total

            order = range(len(matrix[0]))
            X = [
                [builder.load(at(data[4], i, k, a_down, m, a_across), align=size) for m in order]
                for k in order
            ]
            MX = [[combined(row, [X[k][m] for k in order]) for m in order] for row in matrix]
            for k, terms in enumerate(MX):
                for m, row in enumerate(matrix):
                    place = at(data[0], o, k, down, m, across)
                    builder.store(combined(row, terms), place, align=size)
            return context.get_dummy_value()

        arguments = (out, o, down, across, a, i, a_down, a_across, lanes)
        return types.void(*arguments), codegen

    return sandwich
