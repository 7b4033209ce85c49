"""Bugs planted in dynamics, one at a time: the conformance suite catches every one.

A linear layer, a tanh layer, symbolic rates that depend on time, and a heat equation. Bugs in
steps, marches and objectives are in the files beside this one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from occore.example import Example
from occore.symbolic import dynamics as symbolic
from occore.symbolic.dynamics import SymbolicDynamics, SymbolicLinearization
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.testing.models import Tanh, TanhLinearization
from occore.testing.mutation import Mutant, failure, replaced, wrapped
from occore_convolution.parabolic_convolution import ParabolicConvolution
from occore_least_squares.linear import Linear, LinearLinearization


def scaled(factor):
    """A method whose result, an array or (px, pu), is multiplied by a factor."""

    def change(original, *arguments):
        result = original(*arguments)
        if isinstance(result, tuple):
            return factor * result[0], {k: factor * v for k, v in result[1].items()}
        return factor * result

    return change


def of_adjoint(x=lambda p: p, **controls):
    """A method that returns (px, pu), with functions put on px and on some of pu."""

    def change(original, self, *arguments):
        px, pu = original(self, *arguments)
        return x(px), pu | {name: function(pu[name]) for name, function in controls.items()}

    return change


def adds_to_argument(original, self, t, x, u):
    x += 1e-3
    return original(self, t, x, u)


def doubles_adjoint_in_place(original, self, py):
    result = original(self, py)
    py *= 2
    return result


def through_single(original, self, dx, du):
    return original(self, dx.astype(np.float32), du).astype(dx.dtype)


def promotes(original, self, t, x, u):
    return original(self, t, x, u) + np.zeros(2)


def latest_point(original, self, t, x, u):
    """The linearization reads the point from the class, where the next one overwrites it."""
    y, part = original(self, t, x, u)
    LATEST["part"] = part
    return y, Latest()


LATEST = {}


class Latest:
    """Products of whatever was linearized last."""

    control_jvp = control_vjp = None

    def __getattr__(self, name):
        return getattr(LATEST["part"], name)


def mean_over_samples(original, self, py):
    px, pu = original(self, py)
    return px, {name: p / len(py) for name, p in pu.items()}


def last_sample_only(original, self, py):
    px, _ = original(self, py)
    return px, original(replace(self, x=self.x[-1:]), py[-1:])[1]


def bias_along_samples(original, self, t, x, u):
    y = x @ u["W"].T
    return y + (u["b"][:, None] if x.shape[0] == len(u["b"]) else u["b"])


def centred(original, self, t, x, u):
    return original(self, t, x - x.mean(axis=0), u)


def reused_result(original, self, py):
    px, pu = original(self, py)
    buffer = BUFFERS.setdefault((*px.shape, px.dtype.char), np.empty_like(px))
    buffer[...] = px
    return buffer, pu


BUFFERS = {}


def forgets_bias_adjoint(original, self, py):
    px, pu = original(self, py)
    return px, {"W": pu["W"]}


def global_random(self, rng):
    return {name: np.random.standard_normal(s) for name, s in self.controls.shapes.items()}  # noqa: NPY002


def drifts(original, self, dx, du):
    """Each call makes the next one larger."""
    self.x[...] *= 1 + 1e-9
    return original(self, dx, du)


def zero_curvature(original, self, py, dx, du):
    px, pu = original(self, py, dx, du)
    return 0 * px, {name: 0 * p for name, p in pu.items()}


def zeros_like_controls(original, self, dx, du):
    return original(self, dx, {name: 0 * d for name, d in du.items()})


def wrong_rank(original, self, py):
    px, pu = original(self, py)
    return px, pu | {"b": pu["b"][None]}


def linear(name, method, change):
    return Mutant(name, "linear", wrapped(LinearLinearization, method, change))


def tanh(name, method, change):
    return Mutant(name, "tanh", wrapped(TanhLinearization, method, change))


def rates(name, method, change, owner=SymbolicLinearization):
    return Mutant(name, "rates", wrapped(owner, method, change))


def with_wrong_slope(original, self, *arguments):
    return original(replace(self, s=np.sqrt(np.abs(self.s))), *arguments)


def half_the_bend(original, self, py, dx, du):
    """Half of the term with s''."""
    none = original(replace(self, s=0 * self.s), py, dx, du)
    full = original(self, py, dx, du)
    return (none[0] + full[0]) / 2, {k: (none[1][k] + full[1][k]) / 2 for k in full[1]}


def without_bilinear_term(original, self, py, dx, du):
    px, pu = original(self, py, dx, du)
    return px, pu | {"K": pu["K"] - ((1 - self.s**2) * py).T @ dx}


def back_through_transpose(original, self, py):
    _, pu = original(self, py)
    return ((1 - self.s**2) * py) @ self.K.T, pu


def bias_without_slope(original, self, py):
    px, pu = original(self, py)
    return px, pu | {"b": py.sum(axis=0)}


def forgets_bias_in_linearize(original, self, t, x, u):
    return original(self, t, x, u | {"b": 0 * u["b"]})


def at_time_zero(original, self, t, x, u):
    return original(self, 0.0, x, u)


def first_sample_only(original, self, p):
    px, _ = original(self, p)
    return px, original(self, p[:1])[1]


def swapped(original, layout, u, like):
    values = original(layout, u, like)
    return values[::-1] if values is not None else values


MUTANTS = [
    linear("sign-of-tangent", "jvp", scaled(-1)),
    linear("sign-of-adjoint", "vjp", scaled(-1)),
    linear("factor-two", "vjp", scaled(2)),
    linear("tiny-factor", "jvp", scaled(1 + 1e-10)),
    linear("missing-transpose", "vjp", lambda f, self, py: (py @ self.W.T, f(self, py)[1])),
    linear("adjoint-of-W-transposed", "vjp", of_adjoint(W=lambda p: p.T)),
    linear("bias-dropped-in-tangent", "jvp", lambda f, s, dx, du: f(s, dx, du) - du["b"]),
    linear("bias-adjoint-missing", "vjp", forgets_bias_adjoint),
    linear("bias-adjoint-of-wrong-rank", "vjp", wrong_rank),
    linear("mean-instead-of-sum", "vjp", mean_over_samples),
    linear("last-sample-only", "vjp", last_sample_only),
    linear("control-ignored", "jvp", zeros_like_controls),
    linear("state-ignored", "jvp", lambda f, s, dx, du: f(s, 0 * dx, du)),
    linear("no-curvature", "curvature", zero_curvature),
    linear("sign-of-curvature", "curvature", scaled(-1)),
    linear("curvature-of-W-missing", "curvature", of_adjoint(W=lambda p: 0 * p)),
    linear(
        "control-tangent-without-bias",
        "control_jvp",
        lambda f, s, du: f(s, du | {"b": 0 * du["b"]}),
    ),
    linear(
        "control-adjoint-doubled",
        "control_vjp",
        lambda f, s, py: {k: 2 * p for k, p in f(s, py).items()},
    ),
    linear(
        "rows-of-the-next-sample",
        "control_of_each",
        lambda f, s, py: {k: np.roll(p, 1, axis=0) for k, p in f(s, py).items()},
    ),
    linear("second-adjoint-of-p", "control_second", lambda f, s, p, dp, du: f(s, dp, p, du)),
    linear("adjoint-changed-in-place", "vjp", doubles_adjoint_in_place),
    linear("float32-inside", "jvp", through_single),
    linear("result-overwritten-by-the-next", "vjp", reused_result),
    linear("products-drift", "jvp", drifts),
    Mutant("state-changed-in-place", "linear", wrapped(Linear, "__call__", adds_to_argument)),
    Mutant("float64-outside", "linear", wrapped(Linear, "__call__", promotes)),
    Mutant("stale-linearization", "linear", wrapped(Linear, "linearize", latest_point)),
    Mutant(
        "bias-broadcast-along-samples", "linear", wrapped(Linear, "__call__", bias_along_samples)
    ),
    Mutant("samples-see-each-other", "linear", wrapped(Linear, "__call__", centred)),
    Mutant(
        "design-doubled",
        "linear",
        wrapped(Linear, "design", lambda f, s, t, x: {k: 2 * m for k, m in f(s, t, x).items()}),
    ),
    Mutant("global-random-numbers", "linear", replaced(Linear, "initial_controls", global_random)),
    tanh("slope-without-square", "jvp", with_wrong_slope),
    tanh("half-of-the-second-derivative", "curvature", half_the_bend),
    tanh("bilinear-term-missing", "curvature", without_bilinear_term),
    tanh("K-instead-of-its-transpose", "vjp", back_through_transpose),
    tanh("bias-without-slope", "vjp", bias_without_slope),
    Mutant("linearized-elsewhere", "tanh", wrapped(Tanh, "linearize", forgets_bias_in_linearize)),
    Mutant("said-to-be-affine", "tanh", replaced(Tanh, "affine_in_controls", True)),
    rates("control-ignored", "jvp", zeros_like_controls),
    rates("no-curvature", "curvature", zero_curvature),
    rates(
        "time-forgotten-as-a-control",
        "linearize_in_time",
        lambda f, s, t, x, u: f(s, t + 0.1, x, u),
        SymbolicDynamics,
    ),
    rates("first-sample-only", "_split", first_sample_only),
    rates("time-forgotten", "linearize", at_time_zero, SymbolicDynamics),
    rates(
        "jacobian-transposed",
        "jacobian",
        lambda f, s, t, x, u: f(s, t, x, u).swapaxes(1, 2),
        SymbolicDynamics,
    ),
    Mutant(
        "spectrum-turned-by-a-right-angle",
        "heat",
        wrapped(ParabolicConvolution, "bounds", lambda f, s, u: f(s, u)[::-1]),
    ),
    Mutant(
        "spectrum-of-half-the-stencil",
        "heat",
        wrapped(ParabolicConvolution, "bounds", lambda f, s, u: f(s, u | {"K": u["K"] / 2})),
    ),
    Mutant("said-to-be-autonomous", "rates", replaced(SymbolicDynamics, "autonomous", True)),
    Mutant(
        "controls-swapped",
        "rates",
        lambda m: m.setattr(
            symbolic, "flat", lambda layout, u, like, f=symbolic.flat: f(layout, u, like)[::-1]
        ),
    ),
]


def examples():
    """What the bugs are planted in."""
    rates = {"a": "b*sin(t)*u + a*v", "b": "-a + t*u*v"}
    return {
        "linear": Linear.example(),
        "tanh": Example(
            Tanh((2,), 2),
            x=[[0.5, -1.0]],
            u={"K": [[1.0, 0.5], [-0.4, 0.8]], "b": [0.3, -0.2]},
            value=np.tanh([[0.3, -1.2]]),
        ),
        "rates": Example(
            ExpressionDynamics(("a", "b"), ("u", "v"), rates),
            x=[[0.5, -1.0]],
            u={"u": 0.5, "v": 2.0},
            value=[[1.0, -0.5]],
        ),
        "heat": ParabolicConvolution.example(),
    }


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_the_suite_catches(mutant, monkeypatch):
    example = examples()[mutant.victim]
    mutant.plant(monkeypatch)
    assert failure("dynamics", example) is not None


@pytest.mark.parametrize("victim", examples())
def test_the_suite_passes_what_is_right(victim):
    assert failure("dynamics", examples()[victim]) is None
