"""Compiled marches agree with the general way, and with themselves under every memory policy."""

from dataclasses import replace

import numpy as np
import pytest

from occore.checkpointing import Cost, Linearizations, Reversible, Slots, States
from occore.checks import Differentiable, check_map, raise_on_failure
from occore.kernels.compiled_march import CompiledLinearization, explicit
from occore.phase import Phase
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.testing.compiled import predators
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.trapezoid import Trapezoid

pytest.importorskip("numba")

DYNAMICS, GENERAL = predators("numba"), predators("numpy")  # compiled for the suite as well


@pytest.fixture
def methods(host):
    """Every registered method with an explicit tableau."""
    entries = host.registry.entries("discretization")
    return [e.cls() for e in entries if explicit(e.cls) is not None]


def phase_of(method, **changes):
    space = PiecewiseLinear(intervals=3)
    return replace(Phase("flow", DYNAMICS, method, 40, 2.0, space=space), **changes)


def point(phase, dtype=np.float64, samples=3):
    """x, u, dx, du at random."""
    rng = np.random.default_rng(8)
    x, dx = rng.random((2, samples, 2)).astype(dtype)
    u, du = phase.layout.random(rng, dtype), phase.layout.random(rng, dtype)
    return x, {name: (0.3 * value).astype(dtype) for name, value in u.items()}, dx, du


def products(phase, dtype=np.float64, samples=3):
    x, u, dx, du = point(phase, dtype, samples)
    y, part = phase.linearize(x, u)
    py = np.random.default_rng(9).standard_normal(y.shape).astype(dtype)
    (px, pu), (hx, hu) = part.vjp(py), part.curvature(py, dx, du)
    phase.linearize(dx, du)  # another evaluation in between must not matter
    qx, qu = part.vjp(py)
    flat = [y, phase(x, u), part.jvp(dx, du), px, *pu.values(), hx, *hu.values()]
    return [*flat, qx, *qu.values(), *phase.states(x, u)]


def is_compiled(phase):
    x, u, _, _ = point(phase)
    return isinstance(phase.linearize(x, u)[1], CompiledLinearization)


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a, b)


def test_every_explicit_method_is_compiled(methods):
    names = {type(method).__name__ for method in methods}
    assert names >= {"ForwardEuler", "Midpoint", "Heun", "RK4", "RK38", "Bosh3", "Dopri5", "Dopri8"}
    assert all(is_compiled(phase_of(method)) for method in methods)


def test_agreement_with_the_general_way(methods):
    """Both sum in the same order up to products that BLAS fuses: 40 steps of rounding, 1e-13."""
    for method in methods:
        phase = phase_of(method, observations=(0.0, 0.5, 2.0))
        general = replace(phase, dynamics=GENERAL)
        for found, expected in zip(products(phase), products(general), strict=True):
            scale = np.max(np.abs(expected))
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * scale)


@pytest.mark.parametrize("policy", [States(), Slots(1), Slots(3), Slots(40), Slots(2, 2)], ids=str)
@pytest.mark.parametrize("steps", [1, 2, 7, 40])
def test_the_same_bits_under_every_policy(policy, steps):
    phase = phase_of(RK4(), steps=steps, observations=(0.0, 2.0))
    found = products(replace(phase, memory=policy, cost=Cost()))
    assert_same(found, products(phase))


@pytest.mark.parametrize("compiler", ["numba", "numpy"])
def test_the_same_bits_for_random_numbers_of_steps_and_slots(compiler, rng):
    steps = 3000 if compiler == "numba" else 60  # compiled: over several blocks of controls
    dynamics = DYNAMICS if compiler == "numba" else GENERAL
    for _ in range(5):
        count, slots, disk = map(int, rng.integers((2, 1, 0), (steps, 30, 6)))
        phase = phase_of(RK4(), steps=count, dynamics=dynamics, observations=(0.0, 2.0))
        expected = products(replace(phase, memory=Linearizations()), samples=1)
        for policy in (States(), Slots(slots), Slots(slots, disk)):
            assert_same(products(replace(phase, memory=policy), samples=1), expected)


@pytest.mark.parametrize("policy", [Linearizations(), States(), Slots(2), Slots(1, 2)], ids=str)
def test_taylor_through_every_policy(policy, rng):
    phase = phase_of(RK4(), steps=10, observations=(0.4, 2.0), memory=policy)
    x, u, _, _ = point(phase)
    raise_on_failure(check_map(Differentiable("compiled", phase, phase.linearize, x, u), rng))


def test_constants_alone():
    """2000 steps are two blocks; d/dk of x e^(−k) is −x e^(−k)."""
    dynamics = ExpressionDynamics(("x",), (), {"x": "-k*x"}, ("k",), compiler="numba")
    phase = Phase("decay", dynamics, RK4(), 2000, 1.0, space=Constant())
    _, part = phase.linearize(np.array([[2.0], [3.0]]), {"k": np.array(0.7)})
    px, pu = part.vjp(np.ones((2, 1)))
    np.testing.assert_allclose(px, np.exp(-0.7) * np.ones((2, 1)), rtol=1e-12)
    np.testing.assert_allclose(pu["k"], -5 * np.exp(-0.7), rtol=1e-12)


def test_no_controls():
    dynamics = ExpressionDynamics(("x",), (), {"x": "3"}, compiler="numba")
    phase = Phase("line", dynamics, RK4(), 5, 2.0, space=Constant())
    y, part = phase.linearize(np.array([[1.0]]), {})
    assert y == pytest.approx(7.0)
    assert part.vjp(np.ones((1, 1))) == (1.0, {})


def test_single_precision():
    """The general way in float32 is as far from the exact numbers, some 40 steps of 6e-8."""
    phase = phase_of(RK4(), observations=(0.5, 2.0))
    single, general = products(phase, np.float32), replace(phase, dynamics=GENERAL)
    for found, expected in zip(single, products(general, np.float32), strict=True):
        assert found.dtype == np.float32
        scale = np.max(np.abs(expected))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * scale)
    assert_same(products(replace(phase, memory=Slots(3)), np.float32), single)


def test_arguments_are_left_alone():
    phase = phase_of(RK4(), observations=(0.0, 2.0))
    x, u, _, _ = point(phase)
    before, py = x.copy(), np.ones((3, 2, 2))
    y, part = phase.linearize(x, u)
    first = part.vjp(py)
    y[...], first[0][...] = 0.0, 0.0
    assert np.array_equal(x, before) and np.all(py == 1)
    assert np.any(part.vjp(py)[0])


def test_what_cannot_be_compiled_goes_the_general_way():
    assert not is_compiled(phase_of(Trapezoid()))
    assert not is_compiled(phase_of(ForwardEuler(), dynamics=GENERAL))
    phase = phase_of(RK4(), memory=Reversible())
    assert phase.march(*point(phase)[:2]).compiled is None
    x, u, _, _ = point(phase_of(RK4()))
    assert np.iscomplexobj(phase_of(RK4())(x + 1e-30j, u))
