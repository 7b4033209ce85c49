"""Dormand and Prince's pair of orders 5 and 4.

J. R. Dormand and P. J. Prince, A family of embedded Runge–Kutta formulae, J. Comput. Appl. Math. 6
(1980), 19–26; Hairer, Nørsett and Wanner I, table II.5.2. The seventh stage is f at the end point;
only the error and the dense output use it. Dense output of order 4: L. F. Shampine, Some practical
Runge–Kutta formulas, Math. Comp. 46 (1986), 135–150, in the form of DOPRI5 (ibid., section II.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from occore import Example, decay
from occore_continuous.discretizations.explicit_runge_kutta import ExplicitRungeKutta
from occore_continuous.discretizations.tableau import Tableau

D = (
    Fraction(-12715105075, 11282082432),
    Fraction(0),
    Fraction(87487479700, 32700410799),
    Fraction(-10690763975, 1880347072),
    Fraction(701980252875, 199316789632),
    Fraction(-1453857185, 822651844),
    Fraction(69997945, 29380423),
)
"""d of the dense output, from Hairer's DOPRI5."""


def dense_weights(s: Any) -> tuple[Any, ...]:
    """Cubic Hermite interpolation of both ends, and s² (1 − s)² Σ d k."""
    end, bubble = 3 * s**2 - 2 * s**3, s**2 * (1 - s) ** 2
    weights = [b * end + d * bubble for b, d in zip(TABLEAU.b, D, strict=True)]
    weights[0] += s * (1 - s) ** 2
    weights[-1] += s**2 * (s - 1)
    return tuple(weights)


TABLEAU = Tableau.parse(
    """
    0    |
    1/5  | 1/5
    3/10 | 3/40       9/40
    4/5  | 44/45      -56/15      32/9
    8/9  | 19372/6561 -25360/2187 64448/6561 -212/729
    1    | 9017/3168  -355/33     46732/5247 49/176   -5103/18656
    1    | 35/384     0           500/1113   125/192  -2187/6784    11/84
         | 35/384     0           500/1113   125/192  -2187/6784    11/84    0
         | 5179/57600 0           7571/16695 393/640  -92097/339200 187/2100 1/40
    """,
    dense=dense_weights,
)


@dataclass(frozen=True)
class Dopri5(ExplicitRungeKutta):
    """Explicit, order 5 with an error estimate of order 4: the usual choice where nothing is stiff.

    Six evaluations a step, seven with the error. Stable on the real axis for
    h |λ| ≤ 3.3, on the imaginary one for h |λ| ≤ 0.99.
    """

    tableau: ClassVar[Tableau] = TABLEAU
    order: ClassVar[int] = 5
    error_order: ClassVar[int] = 4
    dense_order: ClassVar[int] = 4

    @classmethod
    def example(cls) -> Example:
        """dx/dt = −x, h = 1/2: Σ_{k≤5} (−1/2)^k / k! + (1/2)⁶ / 600 = 23291/38400, by hand."""
        return Example(cls(), dynamics=decay(), x=[[1.0]], h=0.5, u={}, value=[[23291 / 38400]])
