"""Interleaved timing of two functions that do the same work, and the table of their ratios."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Row:
    """One comparison: medians in seconds; ratio ours/peer with its 10, 50 and 90 % quantiles.

    setup: what comes before the first result, in words.
    """

    work: str
    peer: str
    ours: float
    theirs: float
    ratio: tuple[float, float, float]
    agreement: str
    setup: str = ""


def compare(
    work: str,
    peer: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    agreement: str,
    repeats: int = 9,
    warm_up: bool = True,
    calls: int = 0,
) -> Row:
    """Time the two in turn; `agreement` says what was asserted. One warm-up each, if wanted.

    calls: a turn is so many calls after one that is not timed, as in a training that goes on. By
    default it is one call, and what the other side left is part of it, such as threads that spin.
    """
    if warm_up:
        ours()
        theirs()
    times = np.array([(_time(ours, calls), _time(theirs, calls)) for _ in range(repeats)])
    low, middle, high = np.quantile(times[:, 0] / times[:, 1], [0.1, 0.5, 0.9])
    a, b = np.median(times, axis=0)
    return Row(work, peer, float(a), float(b), (float(low), float(middle), float(high)), agreement)


def installed(package: str) -> bool:
    """Whether a peer is there to be measured."""
    return importlib.util.find_spec(package) is not None


def table(rows: list[Row], skipped: list[str]) -> str:
    """A Markdown table with machine and versions."""
    libraries = ("numpy", "scipy")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in libraries]
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    setup = any(row.setup for row in rows)
    head = ["work", "peer", "occore / ms", "peer / ms", "ratio [10 %, 90 %]", "agreement"]
    head += ["before the first result"] * setup
    lines = [", ".join([machine, *versions]), "", _line(head), _line(["---"] * len(head))]
    for row in rows:
        low, middle, high = row.ratio
        cells = [row.work, row.peer, f"{1e3 * row.ours:.3g}", f"{1e3 * row.theirs:.3g}"]
        cells += [f"{middle:.2g} [{low:.2g}, {high:.2g}]", row.agreement]
        lines.append(_line(cells + [row.setup] * setup))
    if skipped:
        lines += ["", f"Not installed, so not measured: {', '.join(skipped)}."]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _time(function: Callable[[], object], calls: int) -> float:
    """Seconds of a call in a turn."""
    # The memory that the other side freed is tidied up in the next allocation of some size, which
    # took 10 ms after a backpropagation of PyTorch: it is neither side's work, so it comes before.
    bytearray(1 << 13)
    if calls:
        function()
    begin = time.perf_counter()
    for _ in range(max(calls, 1)):
        function()
    return (time.perf_counter() - begin) / max(calls, 1)
