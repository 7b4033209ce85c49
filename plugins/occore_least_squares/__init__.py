"""Linear least squares: linear layers, objectives, direct and Krylov solvers, data sets."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register the model, its objective, penalty and optimizers, and the data sets."""
    from occore_least_squares import datasets
    from occore_least_squares.bilevel import Bilevel
    from occore_least_squares.cgls import CGLS
    from occore_least_squares.least_squares import LeastSquares
    from occore_least_squares.linear import Linear
    from occore_least_squares.lsmr import LSMR
    from occore_least_squares.lsqr import LSQR
    from occore_least_squares.normal_equations import NormalEquations
    from occore_least_squares.qr import QR
    from occore_least_squares.ridge_path import RidgePath
    from occore_least_squares.steepest_descent import SteepestDescent
    from occore_least_squares.svd import SVD
    from occore_least_squares.tikhonov import Tikhonov
    from occore_least_squares.total_variation import TotalVariation
    from occore_least_squares.tsvd import TSVD

    registry.dynamics("linear", Linear)
    registry.objective("least_squares", LeastSquares)
    registry.objective("tikhonov", Tikhonov)
    registry.objective("total_variation", TotalVariation)
    registry.optimizer("qr", QR)
    registry.optimizer("svd", SVD)
    registry.optimizer("tsvd", TSVD)
    registry.optimizer("ridge_path", RidgePath)
    registry.optimizer("bilevel", Bilevel)
    registry.optimizer("normal_equations", NormalEquations)
    registry.optimizer("steepest_descent", SteepestDescent)
    registry.optimizer("cgls", CGLS)
    registry.optimizer("lsqr", LSQR)
    registry.optimizer("lsmr", LSMR)
    datasets.register(registry)


@occore.hookimpl
def occore_figure(run: Any) -> Any:
    """The path of λ, or the picture, that a run found."""
    from occore_least_squares.figures import figure

    return figure(run)
