"""What everything registered brings: a small instance with a reference number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Example:
    """A registered thing at work, small and under a second, beside a value from elsewhere.

    `value` is what the thing must give: from a hand calculation, a paper's table or an independent
    high-accuracy solution, never occore's own output pasted back. Which other fields are filled in
    depends on the family:

    dynamics: t, x (samples, …), u; value is f(t, x, u).
    discretization: dynamics, t, h, x, u (with its leading axis of abscissae); value is the step.
    terminal objective: x, target; value is Φ.
    control objective: u, the controls of each phase; value is R.
    control space: steps, u (coefficients), times; value are the controls at these relative times.
    optimizer: problem, theta; value is the minimiser.
    observer: problem, theta; value is what is observed there, by name.
    dataset: value is the shape of the inputs; files, where it reads any, are their contents by
    name, to be written into the folder that `load` is given.
    """

    map: Any
    x: Any = None
    u: Any = None
    value: Any = None
    t: float = 0.0
    h: float | None = None
    dynamics: Any = None
    target: Any = None
    steps: int | None = None
    times: Any = None
    problem: Any = None
    theta: Any = None
    files: dict[str, bytes] | None = None
    rtol: float = 1e-12
