"""Parabolic, hyperbolic and Hamiltonian convolution dynamics: what the mathematics promises."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import InputError, Phase
from occore.checks import Differentiable, check_map, raise_on_failure
from occore.stability import stability
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.leapfrog import Leapfrog
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.verlet import Verlet
from occore_convolution.differential_operators import stencil_of
from occore_convolution.hamiltonian_convolution import HamiltonianConvolution
from occore_convolution.hyperbolic_convolution import HyperbolicConvolution
from occore_convolution.join_channels import JoinChannels
from occore_convolution.parabolic_convolution import ParabolicConvolution
from occore_convolution.split_channels import SplitChannels

BOUNDARIES = ["zero", "periodic", "reflecting"]
MONOTONE = ["identity", "tanh", "logistic", "relu", "softsign", "scaled_tanh"]


def constant(phase, rng):
    """Random controls that do not vary in time."""
    return {name: rng.standard_normal(shape) for name, shape in phase.layout.shapes.items()}


def march(field, method, steps, horizon):
    return Phase("pde", field, method, steps, horizon, space=Constant())


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("activation", MONOTONE)
def test_parabolic_solutions_never_move_apart_at_the_bound(boundary, activation, rng):
    """Forward Euler with h = 2/ρ: the distance of two of eight random solutions in all steps."""
    field = ParabolicConvolution((6, 5, 2), width=3, boundary=boundary, activation=activation)
    phase = march(field, ForwardEuler(), 10, 1.0)
    u = constant(phase, rng)
    bound = stability(phase, u)
    assert bound is not None
    phase = replace(phase, horizon=phase.horizon / bound["step_over_bound"])
    x = rng.standard_normal((8, 6, 5, 2))
    distances = [x[:4] - x[4:]]
    distances += [y[:4] - y[4:] for y in phase.states(x, u)]
    sizes = np.linalg.norm(np.reshape(distances, (11, 4, -1)), axis=2)
    assert np.all(sizes[1:] <= sizes[:-1] * (1 + 1e-12))


def test_beyond_the_bound_they_do():
    """Identity on a periodic grid, x along the mode of the norm: each step multiplies by 1 − hρ."""
    field = ParabolicConvolution((8, 1), boundary="periodic", activation="identity", bias=False)
    u = {"K": np.array([1.0, -2.0, 1.0]).reshape(1, 3, 1, 1)}  # ρ = 4², at the sawtooth
    x = np.array([1.0, -1.0] * 4).reshape(1, 8, 1)
    for over, factor in ((0.95, 0.9), (1.05, 1.1)):
        phase = march(field, ForwardEuler(), 5, 5 * over * 2 / 16)
        found = stability(phase, u)
        assert found is not None
        assert_allclose(found["step_over_bound"], over, rtol=1e-12)
        assert_allclose(np.abs(phase(x, u)), factor**5, rtol=1e-10)


def test_the_parabolic_jacobian_is_symmetric_and_dissipates(rng):
    field = ParabolicConvolution((3, 4, 2), width=3)
    u = {name: rng.standard_normal(shape) for name, shape in field.controls.shapes.items()}
    _, part = field.linearize(0.0, rng.standard_normal((1, 3, 4, 2)), u)
    still = field.controls.zeros()
    rows = [part.jvp(e.reshape(1, 3, 4, 2), still).ravel() for e in np.eye(24)]
    assert_allclose(rows, np.transpose(rows), atol=1e-13)
    assert np.linalg.eigvalsh(rows).max() <= 1e-12


def log_cosh(s):
    """The potential of tanh."""
    return np.logaddexp(s, -s) - np.log(2)


def potential(layer, x, u):
    """Σ φ(K x + b) of each sample."""
    s = layer.biased(layer.operator.forward(x, layer.stencil(u)), u)
    return log_cosh(s).reshape(len(x), -1).sum(axis=1)


@pytest.mark.parametrize("method", [Leapfrog(), Verlet()], ids=["leapfrog", "verlet"])
@pytest.mark.parametrize("kind", [HyperbolicConvolution, HamiltonianConvolution])
def test_energy_and_reversal(kind, method, rng):
    """The energy stays to O(h²), with no drift; a step back undoes a step; RK4 agrees."""
    field = kind((2, 5, 4, 2), activation="tanh")
    u = {name: 0.3 * rng.standard_normal(s) for name, s in field.controls.shapes.items()}
    x = rng.standard_normal((3, 2, 5, 4, 2))

    def energy(x):
        if kind is HyperbolicConvolution:
            kinetic = (x[:, 1].reshape(len(x), -1) ** 2).sum(axis=1) / 2
            return kinetic + potential(field.layers[0], x[:, 0], u)
        on_y, on_z = field.layers
        return potential(on_y, x[:, 1], u) + potential(on_z, x[:, 0], u)

    coefficients = {name: value[None] for name, value in u.items()}
    errors = []
    for steps in (100, 200):
        states = march(field, method, steps, 5.0).states(x, coefficients)
        errors.append(max(np.max(np.abs(energy(y) / energy(x) - 1)) for y in states))
    assert errors[0] < 2e-3
    assert_allclose(errors[0] / errors[1], 4, rtol=0.15)
    control = {name: np.stack([value] * 3) for name, value in u.items()}
    ahead = method.step(field, 0.0, 0.05, x, control)
    assert_allclose(method.retreat(field, 0.0, 0.05, ahead, control), x, atol=1e-13)
    end = march(field, method, 400, 2.0)(x, coefficients)
    assert_allclose(end, march(field, RK4(), 100, 2.0)(x, coefficients), atol=1e-3)


@pytest.mark.parametrize("kind", [HyperbolicConvolution, HamiltonianConvolution])
def test_leapfrog_is_stable_up_to_its_bound_and_not_beyond(kind):
    """Identity on a periodic grid, along the mode of the norm, ω = 4: bounded for h ω < 2."""
    field = kind((2, 8, 1), boundary="periodic", activation="identity", bias=False)
    K = np.array([1.0, -2.0, 1.0]).reshape(1, 3, 1, 1)
    u = {name: K for name in field.controls}
    if kind is HamiltonianConvolution:
        u = {name: K / 2 for name in field.controls}  # ω = ‖K₁‖ ‖K₂‖
    saw = np.array([1.0, -1.0] * 4).reshape(1, 1, 8, 1)
    x = np.concatenate([saw, 0 * saw], axis=1)
    for over, bounded in ((0.98, True), (1.02, False)):
        phase = march(field, Leapfrog(), 100, 100 * over * 0.5)
        found = stability(phase, u)
        assert found is not None
        assert_allclose(found["step_over_bound"], over, rtol=1e-12)
        assert (float(np.max(np.abs(phase(x, u)))) < 100) == bounded


@pytest.mark.parametrize("kind", [ParabolicConvolution, HyperbolicConvolution])
def test_coefficients_are_the_same_field_as_their_stencil(kind, rng):
    shape = (4, 5, 2) if kind is ParabolicConvolution else (2, 4, 5, 2)
    x, h = rng.standard_normal((3, *shape)), 0.5
    beta, b = rng.standard_normal((3, 3, 2, 3)), rng.standard_normal(3)
    differential = kind(shape, width=3, parametrisation="differential", mesh_size=h)
    stencil = kind(shape, width=3)
    assert_allclose(
        differential(0.0, x, {"beta": beta, "b": b}),
        stencil(0.0, x, {"K": stencil_of(beta, h, (0, 1)), "b": b}),
        atol=1e-12,
    )


def test_initial_coefficients_are_those_of_a_drawn_stencil():
    options = {"state_shape": (4, 5, 2), "initialisation": "he"}
    drawn = ParabolicConvolution(**options).initial_controls(np.random.default_rng(3))
    differential = ParabolicConvolution(**options, parametrisation="differential", mesh_size=0.25)
    beta = differential.initial_controls(np.random.default_rng(3))["beta"]
    assert_allclose(stencil_of(beta, 0.25, (0, 1)), drawn["K"], atol=1e-13)
    axial = ParabolicConvolution(**options, parametrisation="axial", mesh_size=0.25)
    five = axial.initial_controls(np.random.default_rng(3))["beta"]
    kept = axial.layers[0].stencil({"beta": five})
    assert_allclose(kept[1], drawn["K"][1], atol=1e-13)
    assert_allclose(kept[:, 1], drawn["K"][:, 1], atol=1e-13)
    assert_allclose(kept[::2, ::2], 0, atol=1e-13)


def test_derivatives_with_coefficients_on_the_axes(rng):
    field = HamiltonianConvolution((2, 4, 3, 2), width=3, parametrisation="axial", mesh_size=0.5)
    u = {name: rng.standard_normal(shape) for name, shape in field.controls.shapes.items()}
    assert u["beta1"].shape == (5, 2, 3)
    x, linearize = rng.standard_normal((2, 2, 4, 3, 2)), partial(field.linearize, 0.0)
    target = Differentiable("axial", partial(field, 0.0), linearize, x, u)
    raise_on_failure(check_map(target, rng))


def test_an_activation_that_falls_has_no_bound():
    assert ParabolicConvolution((4, 1), activation="sin").spectrum is None


def test_pairs_of_channels(rng):
    x = rng.standard_normal((2, 3, 4, 6))
    pair = SplitChannels((3, 4, 6))(0.0, x, {})
    assert pair.shape == (2, 2, 3, 4, 3)
    assert np.array_equal(pair[:, 1], x[..., 3:])
    assert np.array_equal(JoinChannels((2, 3, 4, 3))(0.0, pair, {}), x)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: ParabolicConvolution((64,)), "picture"),
        (lambda: HyperbolicConvolution((8, 8, 4)), "split_channels"),
        (lambda: JoinChannels((8, 8, 4)), "split_channels"),
        (lambda: SplitChannels((8, 8, 3)), "even number of channels"),
        (
            lambda: ParabolicConvolution((8, 8, 1), stencil=5, parametrisation="differential"),
            "3 taps along each axis, not 5",
        ),
    ],
)
def test_what_does_not_fit(make, match):
    with pytest.raises(InputError, match=match):
        make()


def test_the_plugin_lists_them():
    names = {name for _, name in occore.load_host().registry.items}
    assert {"parabolic_convolution", "hyperbolic_convolution", "hamiltonian_convolution"} <= names
