"""Text that the compiled loops of convolutions have in common; see `occore.kernels.convolution`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from occore.kernels.tile import Tile, compiled, registers, version
from occore.symbolic.jit import compile_source
from occore.threads import made_once

# Indices into slices begin at zero, so the compiler knows that none is negative: ten times as fast.
PICTURES = """
@njit
def put(given, base, out, copies):
    for q in range(copies.shape[0]):
        to, begin, length = copies[q, 0], base + copies[q, 1], copies[q, 2]
        row, part = out[to : to + length], given[begin : begin + length]
        for e in range(length):
            row[e] = part[e]

@njit
def fold(given, out, base, folds):
    for q in range(folds.shape[0]):
        begin, to, length = folds[q, 0], base + folds[q, 1], folds[q, 2]
        row, part = out[to : to + length], given[begin : begin + length]
        for e in range(length):
            row[e] += part[e]
"""
"""`put` pads the picture from the entry `base` on; `fold` adds a padded value to such a picture."""


class Text:
    """A text for Numba in the making: its functions, and the tiles that they call by name."""

    def __init__(self, *versions: str) -> None:
        known = hashlib.sha256(PICTURES.encode()).hexdigest()[:16]
        self.parts = [f"# of versions {[version(), known, *versions]}"]
        self.tiles: dict[str, Tile] = {}

    def add(self, part: str) -> None:
        """Some functions more."""
        self.parts.append(part)

    def tile(self, tile: Tile, arguments: str) -> str:
        """The call of a tile."""
        name = f"tile_{len(self.tiles)}"
        self.tiles[name] = tile
        return f"{name}({arguments})"

    def function(self, name: str, **names: Any) -> Callable[..., Any]:
        """The compiled function of this name; it may use these other names."""
        tiles = [f"# {name}: {tile}" for name, tile in self.tiles.items()]
        names |= {name: compiled(tile) for name, tile in self.tiles.items()} | _pictures()
        return compile_source("\n".join([*tiles, *self.parts]), "convolution", names)[name]


@made_once
def _pictures() -> dict[str, Any]:
    """The functions of `PICTURES`; compiled once for all texts."""
    functions = compile_source(PICTURES, "pictures", {})
    return {name: functions[name] for name in ("put", "fold")}


def blocks(width: int, itemsize: int) -> list[tuple[int, int]]:
    """Pairs (first, lanes) that divide these channels among vector registers."""
    most = registers().size // itemsize
    return [(first, min(most, width - first)) for first in range(0, width, most)]


def divisor(number: int, most: int) -> int:
    """The largest divisor that is not above `most`."""
    return max(k for k in range(1, most + 1) if number % k == 0)


def tile_length(columns: int) -> int:
    """Outputs in registers at a time; the last tile of a row overlaps the one before."""
    tiles = -(-columns // registers().accumulators)
    return -(-columns // tiles)
