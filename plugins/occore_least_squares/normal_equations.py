"""Normal equations: AᵀA Θ = AᵀB, the bad example.

Forming AᵀA squares the condition number κ of A: the coefficients keep about 16 − 2 log₁₀ κ digits
where QR keeps 16 − log₁₀ κ, and none for κ > 1e8. Björck, Numerical Methods for Least Squares
Problems (1996), section 2.2. Only for comparison; `qr` costs at most twice as much.
"""

from __future__ import annotations

from dataclasses import dataclass

import scipy.linalg

from occore import Array, ComputationError
from occore_least_squares.direct import DirectSolver


@dataclass(frozen=True)
class NormalEquations(DirectSolver):
    """Direct, for problems that hand out their matrices; loses twice the digits that QR loses."""

    def minimise(self, A: Array, B: Array) -> Array:
        """The solution of the symmetric system.

        Not by Cholesky: rounding makes AᵀA indefinite where κ > 1e8, and the case is to show the
        digits that are lost. Raises ComputationError where the system is exactly singular.
        """
        (solve,) = scipy.linalg.get_lapack_funcs(("sysv",), (A,))
        _, _, theta, info = solve(A.T @ A, A.T @ B)
        if info > 0:
            raise ComputationError(
                "the normal equations are singular: some columns depend on others. `qr` and `svd` "
                "give the solution of minimum norm"
            )
        return theta
