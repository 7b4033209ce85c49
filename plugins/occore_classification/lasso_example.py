"""The example of proximal methods: a lasso that is solved by hand."""

from __future__ import annotations

import numpy as np

from occore import Data, Example, Optimizer, Phase, Problem


def scalar_lasso(optimizer: Optimizer) -> Example:
    """½ Σ_j (a_j w_j − c_j)² + |w_1| + |w_2| with a = (1, 2), c = (3, ¼), one sample for each j.

    a_1 w_1 = c_1 − 1 gives w_1 = 2, and |a_2 c_2| = ½ < 1 keeps w_2 at zero.
    """
    from occore_classification.l1 import L1
    from occore_least_squares.least_squares import LeastSquares
    from occore_least_squares.linear import Linear

    data = Data(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[3.0], [0.25]]))
    phase = Phase("fit", Linear((2,), 1, bias=False))
    problem = Problem((phase,), LeastSquares() + 1.0 * L1(), data)
    return Example(optimizer, problem=problem, theta=[0.5, 0.5], value=[2.0, 0.0], rtol=1e-10)
