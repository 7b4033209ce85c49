"""What commands print: progress lines, result tables, the derivative table."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

PLAIN_INTERVAL = 1.0
"""Seconds between plain progress lines, at least."""


MOST_COLUMNS = 12
"""Of an array that is shown by its numbers."""


class Progress:
    """Live progress on a terminal; plain lines, at most one a second, otherwise."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._live = Live(console=console, transient=True, auto_refresh=False)
        self._last = time.monotonic()

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def __call__(self, row: Mapping[str, float]) -> None:
        """Show a row of the history, unless the last one was shown a moment ago."""
        now = time.monotonic()
        interval = 0.1 if self.console.is_terminal else PLAIN_INTERVAL
        if now - self._last < interval:
            return
        self._last = now
        text = (
            f"iteration {row['iteration']:6d}   objective {row['objective']:.8e}   "
            f"gradient {row['gradient_norm']:.2e}   {row['wall_time']:7.1f} s"
        )
        if self.console.is_terminal:
            self._live.update(text, refresh=True)
        else:
            self.console.print(text, highlight=False)


def result_table(result: Mapping[str, Any]) -> Table:
    """Objective, metrics of training and held-out data, counts and times."""
    table = Table(show_header=False, box=None, pad_edge=False)
    for name in ("objective", "gradient_norm", "iterations"):
        table.add_row(name.replace("_", " "), number(result[name]))
    parts = result["metrics"]
    for part, metrics in parts.items():
        which = f" ({part.replace('_', '-')})" if len(parts) > 1 else ""
        for name, value in metrics.items():
            if not np.ndim(value):
                table.add_row(_label(name) + which, metric(name, value))
    for name, value in result.get("certificates", {}).items():
        table.add_row(_label(name), number(value, 4))
    counts = result["counts"]
    table.add_row("sweeps", ", ".join(f"{number(v)} {k}" for k, v in counts.items() if v) or "none")
    for phase, cost in result.get("integration", {}).items():
        steps = f"{cost['steps']:,} steps, {cost['recomputed_steps']:,} recomputed"
        stored = f"{cost['peak_bytes'] / 1e6:.3g} MB stored at most"
        table.add_row(f"phase {escape(visible(phase))}", f"{steps}, {stored}")
        if "evaluations" in cost:
            forward, backward = cost["evaluations"], cost["adjoint_evaluations"]
            text = f"{forward:,} of the field forward, {backward:,} backward, for a gradient"
            table.add_row("evaluations", text)
    for phase, found in result.get("stability", {}).items():
        share = found["step_over_bound"]
        text = (
            f"steps of {found['step']:.3g} are {share:.2g} times the longest that are surely stable"
        )
        never = "no step of this method is surely stable"
        table.add_row(f"stability of {escape(visible(phase))}", text if share < np.inf else never)
    if "gradient_error" in result:
        text = f"{result['gradient_error']:.1e} estimated"
        if "gradient_gap" in result:
            text += f"; {result['gradient_gap']:.1e} from the continuous adjoint"
        table.add_row("gradient error", text)
    table.add_row("time", f"{result['times']['solution']:.3g} s")
    return table


def _label(name: str) -> str:
    """The name of a metric, from a file, as a cell of a table."""
    return escape(visible(name.replace("_", " ")))


def check_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The derivative table."""
    table = Table(box=None, pad_edge=False)
    for name in ("subject", "check", "value", "expected", "verdict"):
        table.add_column(name)
    for row in rows:
        style = {"pass": "green", "FAIL": "bold red"}.get(row["verdict"], "")
        cells = (row["subject"], row["check"], number(row["value"], 3), row["expected"])
        table.add_row(*cells, row["verdict"], style=style if row["verdict"] == "FAIL" else "")
    return table


def visible(text: str) -> str:
    """A text from a file, with control characters spelled out: a terminal would obey them."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def number(value: float, digits: int = 8) -> str:
    """A number with so many digits; nothing for NaN."""
    if isinstance(value, float) and math.isnan(value):
        return ""
    return f"{value:.{digits}g}"


def metric(name: str, value: float) -> str:
    """A metric; rates as percentages."""
    return f"{100 * value:.2f} %" if name.endswith("_rate") else f"{value:.4g}"


def matrices(result: Mapping[str, Any]) -> list[str]:
    """The matrices among the metrics of the last part, such as a confusion matrix, as lines.

    Other arrays, and those of training data, are a look into the run file away.
    """
    part = list(result["metrics"])[-1]
    return [
        f"{_label(name)} ({part.replace('_', '-')})\n{rows(value)}"
        for name, value in result["metrics"][part].items()
        if np.ndim(value) == 2
    ]


def rows(matrix: Any) -> str:
    """The numbers of a small matrix in aligned columns; the shape of a large one."""
    matrix = np.asarray(matrix)
    if max(matrix.shape) > MOST_COLUMNS:
        return f"{' × '.join(map(str, matrix.shape))} numbers"
    digits = 8 if matrix.dtype.kind in "iu" else 3
    cells = [[number(v, digits) for v in row] for row in matrix.tolist()]
    width = max(len(cell) for row in cells for cell in row)
    return "\n".join("  " + " ".join(cell.rjust(width) for cell in row) for row in cells)


def sparkline(values: Iterable[float], width: int = 40) -> str:
    """A row of bars, one for each of `width` equal stretches; logarithmic beyond two decades."""
    finite = [v if math.isfinite(v) else math.nan for v in map(float, values)]
    count = min(width, len(finite))
    picked = [finite[round(k * (len(finite) - 1) / max(1, count - 1))] for k in range(count)]
    known = [v for v in picked if not math.isnan(v)]
    if not known:
        return "no numbers"
    if min(known) > 0 and max(known) / min(known) > 100:
        picked = [math.log(v) for v in picked]
        known = [v for v in picked if not math.isnan(v)]
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        " " if math.isnan(v) else "▁▂▃▄▅▆▇█"[min(7, int(8 * (v - low) / span))] for v in picked
    )
