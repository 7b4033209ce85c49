"""Single layer networks: a hidden layer σ(K x + b) and what trains it."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register layers."""
    from occore_single_layer.dense import Dense
    from occore_single_layer.flatten import Flatten
    from occore_single_layer.random_layer import RandomLayer

    registry.dynamics("dense", Dense)
    registry.dynamics("flatten", Flatten)
    registry.dynamics("random_layer", RandomLayer)
