"""Convolutional networks, as stencils and as discretised differential operators."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register layers and data sets."""
    from occore_convolution.average_pooling import AveragePooling
    from occore_convolution.batch_normalisation import BatchNormalisation
    from occore_convolution.convolution import Convolution
    from occore_convolution.datasets.resampled import Resampled
    from occore_convolution.datasets.shapes import Shapes
    from occore_convolution.hamiltonian_convolution import HamiltonianConvolution
    from occore_convolution.hyperbolic_convolution import HyperbolicConvolution
    from occore_convolution.instance_normalisation import InstanceNormalisation
    from occore_convolution.join_channels import JoinChannels
    from occore_convolution.max_pooling import MaxPooling
    from occore_convolution.parabolic_convolution import ParabolicConvolution
    from occore_convolution.picture import Picture
    from occore_convolution.smoothness_in_time import SmoothnessInTime
    from occore_convolution.split_channels import SplitChannels
    from occore_convolution.structured_layer import StructuredLayer
    from occore_convolution.table_convolution import TableConvolution
    from occore_convolution.tv_normalisation import TVNormalisation
    from occore_convolution.zero_padding import ZeroPadding

    registry.dynamics("average_pooling", AveragePooling)
    registry.dynamics("batch_normalisation", BatchNormalisation)
    registry.dynamics("convolution", Convolution)
    registry.dynamics("hamiltonian_convolution", HamiltonianConvolution)
    registry.dynamics("hyperbolic_convolution", HyperbolicConvolution)
    registry.dynamics("instance_normalisation", InstanceNormalisation)
    registry.dynamics("join_channels", JoinChannels)
    registry.dynamics("max_pooling", MaxPooling)
    registry.dynamics("parabolic_convolution", ParabolicConvolution)
    registry.dynamics("picture", Picture)
    registry.dynamics("split_channels", SplitChannels)
    registry.dynamics("structured_layer", StructuredLayer)
    registry.dynamics("table_convolution", TableConvolution)
    registry.dynamics("tv_normalisation", TVNormalisation)
    registry.dynamics("zero_padding", ZeroPadding)
    registry.objective("smoothness_in_time", SmoothnessInTime)
    registry.dataset("resampled", Resampled)
    registry.dataset("shapes", Shapes)
