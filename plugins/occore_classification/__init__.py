"""Linear classification, and the smooth optimizers that it brings."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register the optimizers."""
    from occore_classification.l1 import L1
    from occore_classification.lbfgs import LBFGS
    from occore_classification.logistic import Logistic
    from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy

    registry.objective("softmax_cross_entropy", SoftmaxCrossEntropy)
    registry.objective("logistic", Logistic)
    registry.objective("l1", L1)
    registry.optimizer("lbfgs", LBFGS)
