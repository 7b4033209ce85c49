"""Continuous models: discretizations of integrated phases, and controls in time."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register the discretizations and control spaces."""
    from occore_continuous.constant import Constant
    from occore_continuous.forward_euler import ForwardEuler
    from occore_continuous.piecewise_constant import PiecewiseConstant

    registry.discretization("forward_euler", ForwardEuler)
    registry.control_space("constant", Constant)
    registry.control_space("piecewise_constant", PiecewiseConstant)
