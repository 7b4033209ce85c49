"""Convolutional networks, as stencils and as discretised differential operators."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register layers."""
    from occore_convolution.structured_layer import StructuredLayer

    registry.dynamics("structured_layer", StructuredLayer)
    from occore_convolution.average_pooling import AveragePooling
    from occore_convolution.max_pooling import MaxPooling
    from occore_convolution.zero_padding import ZeroPadding

    registry.dynamics("average_pooling", AveragePooling)
    registry.dynamics("max_pooling", MaxPooling)
    registry.dynamics("zero_padding", ZeroPadding)
    from occore_convolution.convolution import Convolution
    from occore_convolution.picture import Picture

    registry.dynamics("convolution", Convolution)
    registry.dynamics("picture", Picture)
