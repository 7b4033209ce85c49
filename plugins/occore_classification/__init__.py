"""Linear classification, and the smooth optimizers that it brings."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register the optimizers."""
    from occore_classification.lbfgs import LBFGS

    registry.optimizer("lbfgs", LBFGS)
