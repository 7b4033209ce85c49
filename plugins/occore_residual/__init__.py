"""Residual networks: layers as steps in time, fields that are stable, and how deep ones train."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register blocks, fields, data sets, an optimizer and observers."""
    from occore_residual.convolution_block import ConvolutionBlock
    from occore_residual.datasets.ellipses import Ellipses
    from occore_residual.datasets.swiss_roll import SwissRoll
    from occore_residual.datasets.two_spirals import TwoSpirals
    from occore_residual.dense_block import DenseBlock
    from occore_residual.hamiltonian_dense import HamiltonianDense
    from occore_residual.hyperbolic_dense import HyperbolicDense
    from occore_residual.motion_observer import MotionObserver
    from occore_residual.multilevel import Multilevel
    from occore_residual.parabolic_dense import ParabolicDense
    from occore_residual.pointwise import PointwiseActivation
    from occore_residual.response_observer import ResponseObserver
    from occore_residual.reversibility_observer import ReversibilityObserver
    from occore_residual.single_hamiltonian_dense import SingleHamiltonianDense
    from occore_residual.stability_observer import StabilityObserver

    registry.dynamics("activation", PointwiseActivation)
    registry.dynamics("convolution_block", ConvolutionBlock)
    registry.dynamics("dense_block", DenseBlock)
    registry.dynamics("hamiltonian_dense", HamiltonianDense)
    registry.dynamics("hyperbolic_dense", HyperbolicDense)
    registry.dynamics("parabolic_dense", ParabolicDense)
    registry.dynamics("single_hamiltonian_dense", SingleHamiltonianDense)
    registry.dataset("ellipses", Ellipses)
    registry.dataset("swiss_roll", SwissRoll)
    registry.dataset("two_spirals", TwoSpirals)
    registry.optimizer("multilevel", Multilevel)
    registry.observer("motion", MotionObserver)
    registry.observer("responses", ResponseObserver)
    registry.observer("reversibility", ReversibilityObserver)
    registry.observer("stability", StabilityObserver)


@occore.hookimpl
def occore_figure(run: Any) -> Any:
    """What observers saw of the points or of the spectra of a residual network."""
    from occore_residual import figures

    return figures.figure(run)
