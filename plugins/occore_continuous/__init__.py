"""Continuous models: fields, discretizations, controls in time, and fits to trajectories."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register fields, discretizations, control spaces, data sets and objectives."""
    from occore import Bolza, ExpressionDynamics
    from occore_continuous.augment import Augment, Projection
    from occore_continuous.control_spaces.constant import Constant
    from occore_continuous.control_spaces.cubic_spline import CubicSpline
    from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
    from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
    from occore_continuous.datasets.simulated import Simulated
    from occore_continuous.datasets.trajectories import Trajectories
    from occore_continuous.discretizations.ars222 import ARS222
    from occore_continuous.discretizations.backward_euler import BackwardEuler
    from occore_continuous.discretizations.bosh3 import Bosh3
    from occore_continuous.discretizations.dopri5 import Dopri5
    from occore_continuous.discretizations.dopri8 import Dopri8
    from occore_continuous.discretizations.etdrk4 import ETDRK4
    from occore_continuous.discretizations.forward_euler import ForwardEuler
    from occore_continuous.discretizations.gauss4 import Gauss4
    from occore_continuous.discretizations.heun import Heun
    from occore_continuous.discretizations.imex_euler import ImexEuler
    from occore_continuous.discretizations.implicit_midpoint import ImplicitMidpoint
    from occore_continuous.discretizations.leapfrog import Leapfrog
    from occore_continuous.discretizations.midpoint import Midpoint
    from occore_continuous.discretizations.rk4 import RK4
    from occore_continuous.discretizations.rk38 import RK38
    from occore_continuous.discretizations.rosenbrock import Rosenbrock
    from occore_continuous.discretizations.sdirk2 import SDIRK2
    from occore_continuous.discretizations.sdirk3 import SDIRK3
    from occore_continuous.discretizations.trapezoid import Trapezoid
    from occore_continuous.discretizations.verlet import Verlet
    from occore_continuous.evaluation_counts import EvaluationCounts
    from occore_continuous.msa import MSA
    from occore_continuous.neural_field import NeuralField
    from occore_continuous.observation_misfit import ObservationMisfit
    from occore_continuous.phase_portrait import PhasePortrait
    from occore_continuous.pontryagin import Pontryagin

    registry.discretization("forward_euler", ForwardEuler)
    registry.discretization("midpoint", Midpoint)
    registry.discretization("heun", Heun)
    registry.discretization("rk4", RK4)
    registry.discretization("rk38", RK38)
    registry.discretization("bosh3", Bosh3)
    registry.discretization("dopri5", Dopri5)
    registry.discretization("dopri8", Dopri8)
    registry.discretization("backward_euler", BackwardEuler)
    registry.discretization("trapezoid", Trapezoid)
    registry.discretization("implicit_midpoint", ImplicitMidpoint)
    registry.discretization("gauss4", Gauss4)
    registry.discretization("sdirk2", SDIRK2)
    registry.discretization("sdirk3", SDIRK3)
    registry.discretization("rosenbrock", Rosenbrock)
    registry.discretization("leapfrog", Leapfrog)
    registry.discretization("verlet", Verlet)
    registry.discretization("imex_euler", ImexEuler)
    registry.discretization("ars222", ARS222)
    registry.discretization("etdrk4", ETDRK4)
    registry.control_space("constant", Constant)
    registry.control_space("cubic_spline", CubicSpline)
    registry.control_space("piecewise_constant", PiecewiseConstant)
    registry.control_space("piecewise_linear", PiecewiseLinear)
    registry.dynamics("augment", Augment)
    registry.dynamics("neural_field", NeuralField)
    registry.dynamics("projection", Projection)
    registry.dynamics("symbolic", ExpressionDynamics)
    registry.objective("bolza", Bolza)
    registry.objective("observation_misfit", ObservationMisfit)
    registry.optimizer("msa", MSA)
    registry.observer("evaluation_counts", EvaluationCounts)
    registry.observer("phase_portrait", PhasePortrait)
    registry.observer("pontryagin", Pontryagin)
    registry.dataset("simulated", Simulated)
    registry.dataset("trajectories", Trajectories)


@occore.hookimpl
def occore_commands(cli: Any) -> None:
    """Add `occore stability-region`."""
    from occore_continuous.stability_command import command

    cli.add_command(command)


@occore.hookimpl
def occore_figure(run: Any) -> Any:
    """Data and fit of observed trajectories."""
    from occore_continuous.figures import figure

    return figure(run)
