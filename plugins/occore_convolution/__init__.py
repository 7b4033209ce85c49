"""Convolutional networks, as stencils and as discretised differential operators."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register layers."""
    from occore_convolution.structured_layer import StructuredLayer

    registry.dynamics("structured_layer", StructuredLayer)
