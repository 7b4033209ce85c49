"""Bugs planted in objectives, optimizers, control spaces and data sets: the suite catches all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from occore.optimizer import Status
from occore.stage_controls import Gather, Stages
from occore.symbolic.bolza import Bolza
from occore.symbolic.dynamics import SymbolicLinearization
from occore.symbolic.end_cost import ExpressionEnd
from occore.symbolic.running_cost import RunningLinearization
from occore.testing.mutation import Mutant, failure, replaced, wrapped
from occore_classification import lbfgs, proximal
from occore_classification.fista import FISTA
from occore_classification.l1 import L1
from occore_classification.newton_cg import NewtonCG
from occore_classification.smooth import SmoothOptimizer
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy, SoftmaxLinearization
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.cubic_spline import CubicSpline
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_least_squares import tikhonov as penalties
from occore_least_squares.cgls import CGLS
from occore_least_squares.datasets.ill_conditioned import IllConditioned
from occore_least_squares.least_squares import LeastSquares, LeastSquaresLinearization
from occore_least_squares.qr import QR
from occore_least_squares.tikhonov import Tikhonov, TikhonovLinearization

VICTIMS = {
    "least_squares": ("objective", LeastSquares),
    "tikhonov": ("objective", Tikhonov),
    "bolza": ("objective", Bolza),
    "softmax": ("objective", SoftmaxCrossEntropy),
    "l1": ("objective", L1),
    "fista": ("optimizer", FISTA),
    "newton_cg": ("optimizer", NewtonCG),
    "cgls": ("optimizer", CGLS),
    "lbfgs": ("optimizer", lbfgs.LBFGS),
    "qr": ("optimizer", QR),
    "constant": ("control_space", Constant),
    "piecewise_constant": ("control_space", PiecewiseConstant),
    "piecewise_linear": ("control_space", PiecewiseLinear),
    "cubic_spline": ("control_space", CubicSpline),
    "ill_conditioned": ("dataset", IllConditioned),
}


def squares(name, method, change):
    return Mutant(name, "least_squares", wrapped(LeastSquaresLinearization, method, change))


def penalty(name, method, change, owner=TikhonovLinearization):
    return Mutant(name, "tikhonov", wrapped(owner, method, change))


def named(victim, owner, name, method, change):
    return Mutant(name, victim, wrapped(owner, method, change))


def times(factor):
    """A method whose result is multiplied by a factor."""
    return lambda original, *arguments: factor * original(*arguments)


def of_controls(change):
    """A method that returns controls of each phase, with a function on each array."""

    def changed(original, self, *arguments):
        found = original(self, *arguments)
        return {p: {n: change(v) for n, v in named.items()} for p, named in found.items()}

    return changed


def diagonal_only(original, self, d):
    return self.scale * self.weight * self.p * d


def thresholds_twice(original, self, v, s):
    return original(self, v, 2 * s)


def with_nan(original, self, x, data):
    return original(self, x, data) | {"reliability_accuracy": np.array([np.nan])}


def sorted_targets(original, self, x, target):
    return original(self, x, target[::-1])


def gradient_changes_residual(original, self):
    result = self.residual
    result *= self.scale**0.5 * 0.5
    return result


def not_a_number(original, self, x, data):
    return original(self, x, data) | {"rmse": float("nan")}


def in_double(original, self, x, target):
    return original(self, x, target) * np.ones(())


def asymmetric(original, self, d):
    found = original(self, d)
    return {p: {n: np.cumsum(v, axis=-1) for n, v in u.items()} for p, u in found.items()}


def without_start(original, self, p):
    states, controls = original(self, p)
    return states, {phase: {n: 0 * v for n, v in u.items()} for phase, u in controls.items()}


def remembers(original, self, problem, theta, state):
    """What an iteration carries along is kept aside, not in the state."""
    theta, new = original(self, problem, theta, state)
    aside = ASIDE.get("id") == id(state) or state.iteration == 0
    ASIDE["id"] = id(new)
    return (theta, new) if aside else (theta * (1 + 1e-12), new)


ASIDE = {}


def moves_theta(original, self, problem, theta, state):
    new_theta, state = original(self, problem, theta, state)
    theta[...] = new_theta
    return theta, state


def jitters(original, self, problem, theta, state):
    theta, state = original(self, problem, theta, state)
    return theta + 1e-15 * RNG.standard_normal(theta.shape), state


RNG = np.random.default_rng(0)


def does_not_count(original, self, problem, theta, state):
    theta, new = original(self, problem, theta, state)
    return theta, replace(new, iteration=state.iteration)


def value_before(original, self, problem, theta, state):
    theta, new = original(self, problem, theta, state)
    return theta, replace(new, value=state.value)


def list_in_state(original, self, problem, theta):
    return replace(original(self, problem, theta), S=[0.0])


def in_place_pairs(original, state):
    result = original(state)
    state.Y[...] *= 1 + 1e-12
    return result


def stops_early(original, self, problem, theta, state):
    status = original(self, problem, theta, state)
    return status if state.iteration < 1 else Status.CONVERGED


def first_column(original, self, A, B):
    return original(self, A, B) * np.array([[1.0], [0.0]])


def hats_swapped(original, self, steps, times, inside):
    matrix = original(self, steps, times, inside).toarray()
    return scipy.sparse.csr_array(matrix[:, ::-1])


def by_time(original, self, steps, times, inside):
    return original(self, steps, times, times)


def jump_at_end(original, self, steps, times, inside):
    matrix = original(self, steps, times, inside).toarray()
    matrix[times > 0.5] *= 1 + 1e-6
    return scipy.sparse.csr_array(matrix)


def without_first_time(original, self, steps, times, inside):
    return original(self, steps, times - times[0], inside)


def coincident(original, self, steps):
    nodes = original(self, steps)
    return np.where(np.arange(len(nodes)) == 1, nodes[0], nodes)


def always_first_block(original, self, block):
    return original(self, 0)


def last_block_only(original, self, block, *rest):
    self._total = {}
    return original(self, block, *rest)


def global_noise(self, folders, rng):
    np.random.standard_normal(3)  # noqa: NPY002
    return ORIGINAL_LOAD(self, folders, rng)


ORIGINAL_LOAD = IllConditioned.load


def loaded(change):
    return lambda original, self, folders, rng: change(original(self, folders, rng))


MUTANTS = [
    Mutant(
        "a-mean-that-calls-itself-a-sum",
        "softmax",
        replaced(SoftmaxCrossEntropy, "averages", False),
    ),
    squares("gradient-without-scale", "gradient", lambda f, s: s.residual),
    squares("sign-of-gradient", "gradient", times(-1)),
    squares("hessian-doubled", "hessian_product", times(2)),
    squares("scale-instead-of-its-square", "hessian_product", lambda f, s, d: s.scale * d),
    squares("gauss-newton-negative", "gauss_newton_product", times(-1)),
    squares("gauss-newton-without-scale", "gauss_newton_product", lambda f, s, d: d),
    squares("residual-tangent-doubled", "residual_jvp", times(2)),
    squares("residual-adjoint-without-scale", "residual_vjp", lambda f, s, w: w),
    squares("residual-changed-in-place", "gradient", gradient_changes_residual),
    named("least_squares", LeastSquares, "targets-of-other-samples", "__call__", sorted_targets),
    named(
        "least_squares",
        LeastSquares,
        "samples-instead-of-root",
        "residual_scale",
        lambda f, s, n: f(s, n) ** 2,
    ),
    named("least_squares", LeastSquares, "half-forgotten", "__call__", times(2)),
    named("least_squares", LeastSquares, "float64-outside", "__call__", in_double),
    named("least_squares", LeastSquares, "metric-is-no-number", "metrics", not_a_number),
    penalty("gradient-without-transpose", "gradient", lambda f, s: s.controls),
    penalty("sign-of-gradient", "gradient", of_controls(lambda v: -v)),
    penalty("hessian-not-symmetric", "hessian_product", asymmetric),
    penalty("gauss-newton-negative", "gauss_newton_product", of_controls(lambda v: -v)),
    penalty("residual-tangent-halved", "residual_jvp", times(0.5)),
    penalty("transpose-of-the-difference", "transpose", lambda f, s, r: -f(s, r), Tikhonov),
    penalty(
        "rows-of-another-operator",
        "_row_operator",
        lambda f, s, *a: 2 * f(s, *a) if f(s, *a) is not None else None,
        Tikhonov,
    ),
    Mutant(
        "penalises-every-control",
        "tikhonov",
        wrapped(penalties, "chosen", lambda f, wanted, controls: f(None, controls)),
    ),
    Mutant(
        "edge-forgotten",
        "tikhonov",
        replaced(
            penalties,
            "transposed_difference",
            lambda r: np.concatenate([0 * r[..., :1], r], -1) - np.concatenate([r, r[..., :1]], -1),
        ),
    ),
    named("bolza", ExpressionEnd, "controls-forgotten", "split", without_start),
    named("bolza", RunningLinearization, "sign-of-adjoint", "vjp", lambda f, s, p: f(s, -p)),
    named(
        "bolza",
        SymbolicLinearization,
        "first-sample-only",
        "vjp",
        lambda f, s, p: f(s, p[:1] + 0 * p),
    ),
    named("cgls", CGLS, "state-kept-aside", "step", remembers),
    named("cgls", CGLS, "theta-changed-in-place", "step", moves_theta),
    named("cgls", CGLS, "not-the-same-twice", "step", jitters),
    named("cgls", CGLS, "iterations-not-counted", "step", does_not_count),
    named("cgls", CGLS, "value-of-the-iterate-before", "step", value_before),
    Mutant("unknown-structure", "cgls", replaced(CGLS, "requires", ("linear",))),
    named("lbfgs", lbfgs.LBFGS, "list-in-the-state", "init", list_in_state),
    Mutant("state-changed-in-place", "lbfgs", wrapped(lbfgs, "_inverse_hessian", in_place_pairs)),
    named("lbfgs", SmoothOptimizer, "stops-early", "finished", stops_early),
    named(
        "softmax", SoftmaxLinearization, "diagonal-of-the-hessian", "hessian_product", diagonal_only
    ),
    named("softmax", SoftmaxLinearization, "gradient-of-p-alone", "gradient", lambda f, s: s.p),
    named("softmax", SoftmaxCrossEntropy, "metric-without-a-number", "metrics", with_nan),
    named("l1", L1, "threshold-doubled", "proximal", thresholds_twice),
    Mutant(
        "wrong-threshold",
        "fista",
        wrapped(proximal, "proximal_point", lambda f, p, v, s: f(p, v, 2 * s)),
    ),
    named("newton_cg", NewtonCG, "state-outside-of-the-state", "step", remembers),
    named("qr", QR, "one-unknown-left-out", "minimise", first_column),
    named("piecewise_linear", PiecewiseLinear, "hats-in-wrong-order", "basis", hats_swapped),
    named("piecewise_linear", PiecewiseLinear, "jump-that-is-no-break", "basis", jump_at_end),
    named(
        "piecewise_linear",
        PiecewiseLinear,
        "slope-doubled",
        "derivative_basis",
        lambda f, s, *a: 2 * f(s, *a),
    ),
    named("piecewise_linear", PiecewiseLinear, "nodes-coincide", "nodes", coincident),
    named("piecewise_constant", PiecewiseConstant, "side-not-regarded", "basis", by_time),
    named(
        "piecewise_constant",
        PiecewiseConstant,
        "breaks-forgotten",
        "breaks",
        lambda f, s, steps: np.zeros(0),
    ),
    named("cubic_spline", CubicSpline, "times-shifted", "basis", without_first_time),
    named("constant", Constant, "does-not-sum-to-one", "basis", lambda f, s, *a: 2 * f(s, *a)),
    Mutant("stale-block", "piecewise_linear", wrapped(Stages, "basis", always_first_block)),
    Mutant("last-block-only", "constant", wrapped(Gather, "_flush", last_block_only)),
    Mutant(
        "global-random-numbers", "ill_conditioned", replaced(IllConditioned, "load", global_noise)
    ),
    named(
        "ill_conditioned",
        IllConditioned,
        "integers",
        "load",
        loaded(lambda d: replace(d, inputs=d.inputs.astype(int))),
    ),
    named(
        "ill_conditioned",
        IllConditioned,
        "no-digest",
        "load",
        loaded(lambda d: replace(d, digest="")),
    ),
    named(
        "ill_conditioned",
        IllConditioned,
        "a-target-too-few",
        "load",
        loaded(lambda d: replace(d, targets=d.targets[1:])),
    ),
]


def example_of(cls):
    """The example; that of Tikhonov with two entries in b, so that a penalty on it would show."""
    example = cls.example()
    if cls is Tikhonov:
        return replace(example, u={"fit": {**example.u["fit"], "b": [7.0, 9.0]}})
    return example


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_the_suite_catches(mutant, monkeypatch):
    family, cls = VICTIMS[mutant.victim]
    example = example_of(cls)
    mutant.plant(monkeypatch)
    assert failure(family, example) is not None


@pytest.mark.parametrize("victim", VICTIMS)
def test_the_suite_passes_what_is_right(victim):
    family, cls = VICTIMS[victim]
    assert failure(family, example_of(cls)) is None
