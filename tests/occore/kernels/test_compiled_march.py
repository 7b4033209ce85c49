"""Compiled marches agree with the general way, and with themselves under every memory policy."""

from dataclasses import replace

import numpy as np
import pytest

from occore.checkpointing import Cost, Slots, States
from occore.checks import Differentiable, check_map, raise_on_failure
from occore.kernels.compiled_march import CompiledLinearization
from occore.phase import Phase
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.trapezoid import Trapezoid

pytest.importorskip("numba")

RATES = {"x": "a*x - b*x*y + u", "y": "-c*y + d*x*y*cos(t)"}
DYNAMICS = ExpressionDynamics(("x", "y"), ("u",), RATES, tuple("abcd"), compiler="numba")


@pytest.fixture
def explicit(host):
    """Every registered explicit method with a tableau of its own."""
    entries = host.registry.entries("discretization")
    methods = [e.cls() for e in entries if hasattr(e.cls, "tableau") and not e.cls.tableau.fields]
    return [m for m in methods if isinstance(linearized(phase_of(m))[1], CompiledLinearization)]


def phase_of(method, **changes):
    space = PiecewiseLinear(intervals=3)
    return replace(Phase("flow", DYNAMICS, method, 40, 2.0, space=space), **changes)


def point(phase, dtype=np.float64):
    """x, u, dx, du at random."""
    rng = np.random.default_rng(8)
    x, dx = rng.random((2, 3, 2)).astype(dtype)
    u, du = phase.layout.random(rng, dtype), phase.layout.random(rng, dtype)
    return x, {name: (0.3 * value).astype(dtype) for name, value in u.items()}, dx, du


def linearized(phase):
    x, u, _, _ = point(phase)
    return phase.linearize(x, u)


def products(phase, dtype=np.float64):
    x, u, dx, du = point(phase, dtype)
    y, part = phase.linearize(x, u)
    py = np.random.default_rng(9).standard_normal(y.shape).astype(dtype)
    (px, pu), (hx, hu) = part.vjp(py), part.curvature(py, dx, du)
    again = part.vjp(py)[0]
    return [y, phase(x, u), part.jvp(dx, du), px, *pu.values(), hx, *hu.values(), again]


def test_the_explicit_methods_are_compiled(explicit):
    names = {type(method).__name__ for method in explicit}
    assert {"ForwardEuler", "Midpoint", "Heun", "RK4", "RK38", "Bosh3", "Dopri5", "Dopri8"} == names


def test_agreement_with_the_general_way(explicit):
    for method in explicit:
        phase = phase_of(method, observations=(0.0, 0.5, 2.0))
        general = replace(phase, dynamics=replace(DYNAMICS, compiler="numpy"))
        for found, expected in zip(products(phase), products(general), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("policy", [States(), Slots(1), Slots(3), Slots(40), Slots(2, 2)], ids=str)
@pytest.mark.parametrize("steps", [1, 7, 40, 1500])
def test_the_same_bits_under_every_policy(policy, steps):
    if steps == 1500 and policy == Slots(1):
        pytest.skip("a million steps for one slot")
    phase = phase_of(RK4(), steps=steps, observations=(0.0, 2.0))
    found = products(replace(phase, memory=policy, cost=Cost()))
    for a, b in zip(found, products(phase), strict=True):
        assert np.array_equal(a, b)


def test_constants_alone(rng):
    dynamics = ExpressionDynamics(("x",), (), {"x": "-k*x"}, ("k",), compiler="numba")
    phase = Phase("decay", dynamics, RK4(), 2000, 1.0, space=Constant())
    _, part = phase.linearize(np.array([[2.0], [3.0]]), {"k": np.array(0.7)})
    px, pu = part.vjp(np.ones((2, 1)))
    np.testing.assert_allclose(px, np.exp(-0.7) * np.ones((2, 1)), rtol=1e-12)
    np.testing.assert_allclose(pu["k"], -5 * np.exp(-0.7), rtol=1e-12)


def test_taylor(rng):
    phase = phase_of(RK4(), steps=10, observations=(0.4, 2.0))
    x, u, _, _ = point(phase)
    raise_on_failure(check_map(Differentiable("compiled", phase, phase.linearize, x, u), rng))


def test_single_precision():
    for found, exact in zip(
        products(phase_of(RK4()), np.float32), products(phase_of(RK4())), strict=True
    ):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, exact, rtol=2e-3, atol=2e-3)


def test_what_cannot_be_compiled_goes_the_general_way():
    assert not isinstance(linearized(phase_of(Trapezoid()))[1], CompiledLinearization)
    general = phase_of(ForwardEuler(), dynamics=replace(DYNAMICS, compiler="numpy"))
    assert not isinstance(linearized(general)[1], CompiledLinearization)
    phase = phase_of(RK4())
    x, u, _, _ = point(phase)
    assert np.iscomplexobj(phase(x + 1e-30j, u))
