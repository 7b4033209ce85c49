"""Bugs planted in steps and in marches, one at a time: the conformance suite catches every one."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from occore import adjoint, checkpointing, composition
from occore.adjoint import MarchLinearization
from occore.kernels.compiled_march import explicit
from occore.stage_controls import Gather, StageControls
from occore.testing.mutation import Mutant, failure, replaced, wrapped
from occore_continuous.discretizations import (
    bosh3,
    etdrk4,
    forward_euler,
    implicit_midpoint,
    rk4,
    verlet,
)
from occore_continuous.discretizations.runge_kutta import RungeKutta
from occore_continuous.discretizations.shears import Shear, Shears
from occore_continuous.discretizations.successive_stages import (
    SuccessiveLinearization,
    SuccessiveStages,
)

VICTIMS = {
    "forward_euler": forward_euler.ForwardEuler,
    "rk4": rk4.RK4,
    "bosh3": bosh3.Bosh3,
    "implicit_midpoint": implicit_midpoint.ImplicitMidpoint,
    "verlet": verlet.Verlet,
    "etdrk4": etdrk4.ETDRK4,
}


def tableau(name, **values):
    """RK4 with other numbers in its tableau."""

    def plant(monkeypatch):
        for key, value in values.items():
            _ = getattr(rk4.TABLEAU, key)  # so that it is cached before it is replaced
            monkeypatch.setitem(vars(rk4.TABLEAU), key, value)

    return Mutant(name, "rk4", plant)


def product(victim, name, method, change):
    return Mutant(name, victim, wrapped(SuccessiveLinearization, method, change))


def march(name, method, change):
    return Mutant(name, "rk4", wrapped(MarchLinearization, method, change))


def without_h(original, self, *arguments):
    return original(replace(self, h=1.0), *arguments)


def without_identity(original, self, py):
    px, pu = original(self, py)
    return px - py, pu


def first_stage_controls(original, self, dx, du):
    return original(self, dx, {name: np.stack([d[0]] * len(d)) for name, d in du.items()})


def first_stage_parts(original, self, *arguments):
    return original(replace(self, parts=(self.parts[0],) * len(self.parts)), *arguments)


def reversed_places(original, self, py):
    px, pu = original(self, py)
    return px, {name: p[::-1] for name, p in pu.items()}


def stages_at_start(original, self, x):
    """The linearization takes every stage at the time t."""
    frozen = replace(self.tableau)
    vars(frozen)["times"] = (0.0,) * len(self.tableau.times)
    return original(replace(self, tableau=frozen), x)


def next_number(original, *arguments):
    y, part = original(*arguments)
    return np.nextafter(y, np.asarray(np.inf, y.dtype)), part


def changes_state(original, self, dynamics, t, h, x, control):
    x += original(self, dynamics, t, h, x, control) - x
    return x


def stale_controls(original, self, dynamics, t, h, x, control):
    """The controls of the first step are kept for all later ones."""
    if control:
        control = KEPT.setdefault("control", control)
    return original(self, dynamics, t, h, x, control)


KEPT = {}


def in_single(original, self, dynamics, t, h, x, control):
    return original(self, dynamics, t, h, x.astype(np.float32), control).astype(x.dtype)


def error_of_wrong_order(original, self, *arguments):
    y, error = original(self, *arguments)
    return y, error / arguments[2]


def curve_from_start(original, self, *arguments):
    inside = original(self, *arguments)
    return (
        inside
        + 0 * inside[0]
        + arguments[2] ** 2
        * np.reshape(arguments[-1] * (1 - arguments[-1]), (-1, *(1,) * (inside.ndim - 1)))
    )


def forward_again(original, self, dynamics, t, h, x, control):
    return self.step(dynamics, t + h, h, x, control)


def costs_with_momenta(original, self, dynamics, x):
    """Running costs are summed where p moves, though they depend on p."""
    return self.shears


def p_takes_the_rest(original, self, h, f, costs):
    return original(self, h, f, 0 if self.moves == "p" else costs)


def one_matrix(original, method, dynamics, h, x):
    """The matrices of the first length of step serve all."""
    return original(method, dynamics, 0.2, x)


def without_last_step(original, self, py):
    """The adjoint of the last step is left out."""
    sweep, gather, p = self._take_sweep(), self.march.stages.gather(), self._seed(py)
    for k, part in sweep.reverse():
        p = self._observe(k + 1, p, py)
        if k == self.march.grid.steps - 1:
            gather.add(k, part.vjp(0 * p)[1])
            continue
        p, pu = part.vjp(p)
        gather.add(k, pu)
    return self._observe(0, p, py), gather.result()


def steps_in_wrong_order(original, self, py):
    parts = dict(self._take_sweep().reverse())
    gather, p, found = self.march.stages.gather(), self._seed(py), {}
    for k in sorted(parts):
        p, found[k] = parts[k].vjp(self._observe(k + 1, p, py))
    for k in sorted(parts, reverse=True):
        gather.add(k, found[k])
    return self._observe(0, p, py), gather.result()


def forgets_start(original, self, k, p, py):
    return p if k == 0 else original(self, k, p, py)


def forgets_direction(original, self, py, dx, du):
    return original(self, py, 0 * dx, du)


def stale_first_adjoint(original, self, *arguments):
    """The adjoint at the first seed is kept."""
    if "adjoint" not in vars(self):
        vars(self)["adjoint"] = original(self, *arguments)
    return vars(self)["adjoint"]


def control_of_next_step(original, self, k):
    return original(self, min(k + 1, self.stages.grid.steps - 1))


def constant_of_one_stage(original, self, block):
    steps, names = self._pending, self.stages.constants
    self._pending = [
        {n: p * (np.arange(len(p)) == 0).astype(p.dtype) if n in names else p for n, p in s.items()}
        for s in steps
    ]
    original(self, block)


def old_adjoint(original, part, p, dp, dx, du):
    return p, *original(part, p, dp, dx, du)[1:]


def without_second(original, part, p, dp, dx, du):
    return original(part, p, 0 * dp, dx, du)


def wrong_state(original, self):
    """The states that a sweep stored are shifted by one step."""
    self.states = [self.states[0], *self.states[:-1]]
    return original(self)


def stores_later_state(original, self, k, storage):
    self.state = tuple(s * (1 + 1e-15) for s in self.state)
    return original(self, k, storage)


def unchained(original, parts, p, dp, zero, tangents, du):
    """The second-order adjoint of a chain without the tangents of the earlier parts."""
    return original(parts, p, dp, zero, [0 * tangent for tangent in tangents], du)


def joint(self, py, dp, dx, du):
    """All of the second-order adjoint but its bend."""
    px, pu = self.vjp(dp)
    return self.vjp(py)[0], px, pu


STEP = (RungeKutta, "step")
MUTANTS = [
    tableau("wrong-weight", weights=((0, 1 / 6), (1, 1 / 3), (2, 1 / 6), (3, 1 / 3))),
    tableau("wrong-abscissa", times=(0.0, 0.5, 0.5, 0.5)),
    tableau("controls-of-another-stage", places=(0, 1, 1, 1)),
    tableau("controls-in-wrong-order", places=(2, 1, 1, 0)),
    tableau("transposed-tableau", columns=(((1, 0.5),), ((2, 1.0),), ((3, 0.5),), ())),
    tableau("forgotten-stage-in-adjoint", columns=(((1, 0.5),), (), ((3, 1.0),), ())),
    tableau("stage-of-another", rows=((), ((0, 0.5),), ((0, 0.5),), ((2, 1.0),))),
    Mutant("wrong-place-declared", "rk4", replaced(rk4.RK4, "abscissae", (0.0, 0.4, 1.0))),
    Mutant("order-too-high", "rk4", replaced(rk4.RK4, "order", 5)),
    Mutant("order-too-low", "rk4", replaced(rk4.RK4, "order", 3)),
    product("forward_euler", "missing-h-in-tangent", "jvp", without_h),
    product("forward_euler", "missing-h-in-adjoint", "vjp", without_h),
    product("rk4", "missing-h-in-second-order", "_curvature", without_h),
    product("rk4", "adjoint-without-identity", "vjp", without_identity),
    product("rk4", "forgotten-stage-control", "jvp", first_stage_controls),
    product("rk4", "all-stages-are-the-first", "vjp", first_stage_parts),
    product("rk4", "adjoint-of-stages-reversed", "vjp", reversed_places),
    Mutant(
        "linearized-at-start-time", "rk4", wrapped(SuccessiveStages, "linearize", stages_at_start)
    ),
    Mutant("last-bit", "rk4", wrapped(RungeKutta, "linearize_step", next_number)),
    Mutant("state-changed-in-place", "forward_euler", wrapped(*STEP, changes_state)),
    Mutant("stale-controls", "forward_euler", wrapped(*STEP, stale_controls)),
    Mutant("float32-inside", "forward_euler", wrapped(*STEP, in_single)),
    Mutant(
        "error-divided-by-h", "bosh3", wrapped(RungeKutta, "_step_with_error", error_of_wrong_order)
    ),
    Mutant(
        "dense-output-of-low-order", "rk4", wrapped(RungeKutta, "_dense_output", curve_from_start)
    ),
    Mutant(
        "costs-with-momenta",
        "verlet",
        lambda m: [
            wrapped(Shears, "_sequence", costs_with_momenta)(m),
            wrapped(Shear, "rates", p_takes_the_rest)(m),
        ],
    ),
    Mutant("costs-forgotten", "verlet", wrapped(Shears, "_sequence", costs_with_momenta)),
    Mutant("retreat-goes-on", "verlet", wrapped(Shears, "retreat", forward_again)),
    Mutant(
        "wrong-weight",
        "implicit_midpoint",
        replaced(
            implicit_midpoint.ImplicitMidpoint,
            "tableau",
            replace(implicit_midpoint.TABLEAU, b=(0.9,)),
        ),
    ),
    Mutant("stale-matrices", "etdrk4", wrapped(etdrk4, "_coefficients", one_matrix)),
    Mutant(
        "joint-product-without-curvature",
        "rk4",
        lambda m: m.setattr(SuccessiveLinearization, "second", joint, raising=False),
    ),
    march("last-step-missing", "vjp", without_last_step),
    march("steps-in-wrong-order", "vjp", steps_in_wrong_order),
    march("observations-not-added", "_observe", lambda f, s, k, p, py: p),
    march("observed-start-forgotten", "_observe", forgets_start),
    march("tangent-of-start-forgotten", "_curvature", forgets_direction),
    march("first-adjoint-kept", "vjp", stale_first_adjoint),
    Mutant(
        "control-of-next-step", "rk4", wrapped(StageControls, "__getitem__", control_of_next_step)
    ),
    Mutant("constant-of-one-stage", "rk4", wrapped(Gather, "_flush", constant_of_one_stage)),
    Mutant("adjoint-not-moved-on", "rk4", wrapped(adjoint, "second_adjoint", old_adjoint)),
    Mutant("second-order-not-carried", "rk4", wrapped(adjoint, "second_adjoint", without_second)),
    Mutant(
        "stored-state-of-wrong-step",
        "rk4",
        wrapped(checkpointing._StatesSweep, "reverse", wrong_state),
    ),
    Mutant(
        "slots-differ-in-the-last-bit",
        "rk4",
        wrapped(checkpointing._SlotsSweep, "_store", stores_later_state),
    ),
    Mutant("chain-without-tangents", "rk4", wrapped(composition, "control_second", unchained)),
]


@pytest.fixture(autouse=True)
def fresh_coefficients():
    """Compiled marches keep the coefficients of a method."""
    explicit.cache_clear()
    yield
    explicit.cache_clear()


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_the_suite_catches(mutant, monkeypatch):
    KEPT.clear()
    example = VICTIMS[mutant.victim].example()
    mutant.plant(monkeypatch)
    assert failure("discretization", example) is not None


@pytest.mark.parametrize("victim", VICTIMS)
def test_the_suite_passes_what_is_right(victim):
    assert failure("discretization", VICTIMS[victim].example()) is None


@pytest.mark.parametrize(("which", "what"), [(0, "adjoint"), (1, "gradient")])
def test_orders_of_adjoint_and_gradient_are_seen(monkeypatch, which, what):
    """A factor 1 + h² in each step, on the adjoint or on that of the controls, leaves order 1."""

    def change(original, self, py):
        px, pu = original(self, py)
        factor = 1 + self.h**2, 1 + self.h
        if which:
            return px, {name: factor[1] * p for name, p in pu.items()}
        return factor[0] * px, pu

    wrapped(SuccessiveLinearization, "vjp", change)(monkeypatch)
    found = failure("discretization", rk4.RK4.example(), "adjoint_order")
    assert found is not None and re.search(rf"RK4: {what}: observed order (1\.|0\.9)", found)
