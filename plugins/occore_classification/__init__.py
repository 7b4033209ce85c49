"""Linear classification, and the smooth optimizers that it brings."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register objectives, optimizers and data sets."""
    from occore_classification.class_codes import ClassCodes
    from occore_classification.datasets.half_plane import HalfPlane
    from occore_classification.datasets.peaks5 import Peaks5
    from occore_classification.fista import FISTA
    from occore_classification.gradient_descent import GradientDescent
    from occore_classification.l1 import L1
    from occore_classification.lbfgs import LBFGS
    from occore_classification.logistic import Logistic
    from occore_classification.nesterov import Nesterov
    from occore_classification.newton import Newton
    from occore_classification.newton_cg import NewtonCG
    from occore_classification.proximal_gradient import ProximalGradient
    from occore_classification.scipy_minimize import ScipyMinimize
    from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy

    registry.objective("softmax_cross_entropy", SoftmaxCrossEntropy)
    registry.objective("class_codes", ClassCodes)
    registry.objective("logistic", Logistic)
    registry.objective("l1", L1)
    registry.optimizer("gradient_descent", GradientDescent)
    registry.optimizer("lbfgs", LBFGS)
    registry.optimizer("nesterov", Nesterov)
    registry.optimizer("newton", Newton)
    registry.optimizer("newton_cg", NewtonCG)
    registry.optimizer("proximal_gradient", ProximalGradient)
    registry.optimizer("fista", FISTA)
    registry.optimizer("scipy", ScipyMinimize)
    registry.dataset("half_plane", HalfPlane)
    registry.dataset("peaks5", Peaks5)


@occore.hookimpl
def occore_figure(run: Any) -> Any:
    """Confusion matrix, calibration and decisions of a classification."""
    from occore_classification.figures import figure

    return figure(run)
