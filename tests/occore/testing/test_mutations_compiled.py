"""Bugs planted in compiled fields and marches, one at a time: the suite catches every one.

Bugs in the source of the loops are planted in its text, which then runs as plain Python: the same
lines, without the seconds that compiling each of them would take.
"""

from __future__ import annotations

import numpy as np
import pytest

from occore.kernels import compiled_march, explicit_steps
from occore.kernels.stage_rows import RowGather, StageRows
from occore.kernels.sweeps import BinomialSweep
from occore.kernels.tracks import SecondOrder, Track
from occore.symbolic import compiled_kernel, kernels
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.symbolic.source import execute
from occore.testing.mutation import Mutant, failure, wrapped
from occore_continuous.discretizations.dopri5 import Dopri5
from occore_continuous.discretizations.rk4 import RK4

pytest.importorskip("numba")

VICTIMS = {"rk4": RK4, "dopri5": Dopri5}


def interpret(source, kind, names):
    """`compile_source` without a compiler."""
    return execute(source, {"np": np, "njit": lambda f: f, "single": np.float32, **names})


def interpreted(monkeypatch):
    """Marches run the text of the loops as it now stands."""
    monkeypatch.setattr(explicit_steps, "compile_source", interpret)
    monkeypatch.setattr(compiled_march, "explicit_steps", explicit_steps.explicit_steps.__wrapped__)


def loops(name, function, old, new, victim="rk4"):
    """A bug in one function of the loops."""

    def plant(monkeypatch):
        text = explicit_steps.LOOPS
        before, head, rest = text.partition(f"def {function}(")
        body, mark, after = rest.partition("\n@njit")
        assert body.count(old) == 1, f"{function} has {old!r} {body.count(old)} times"
        changed = before + head + body.replace(old, new) + mark + after
        monkeypatch.setattr(explicit_steps, "LOOPS", changed)
        interpreted(monkeypatch)

    return Mutant(name, victim, plant)


def python(name, owner, method, change):
    return Mutant(name, "rk4", wrapped(owner, method, change))


def field(name, old, new):
    """A bug in the source that Numba would be given for a field."""

    def plant(monkeypatch):
        def mutant(source, kind, names):
            assert old in source or "cos" not in source
            return interpret(source.replace(old, new), kind, names)

        monkeypatch.setattr(compiled_kernel, "compile_source", mutant)
        monkeypatch.setattr(compiled_kernel, "_compile", compiled_kernel._compile.__wrapped__)

    return Mutant(name, "field", plant)


def first_row_only(original, self, block):
    rows = original(self, block)
    return np.ascontiguousarray(np.broadcast_to(rows[:1], rows.shape))


def without_last_control(original, self, block):
    self._block[..., -1] = 0.0
    return original(self, block)


def shared(original, self, k, state):
    """The stored state is the one that goes on."""
    original(self, k, state)
    self.stack[-1] = k, state


def loses_a_bit(original, self, first, stored, forget):
    return tuple(array * (1 + 2e-16) for array in original(self, first, stored, forget))


def from_the_adjoint(original, self, py):
    original(self, py)
    self.dp = self.p.copy()


ONE_STAGE = "vjp(kind(t + c[i] * h), X[i], u[row, at[i]], pk, q[i])"
MUTANTS = [
    loops("weight-of-another-stage", "weigh", "kind(h * b[i])", "kind(h * b[0])"),
    loops("missing-h", "weigh", "kind(h * b[i])", "kind(b[i])"),
    loops("transposed-tableau", "weigh", "kind(h * a[r, i])", "kind(h * a[i, r])"),
    loops(
        "next-stage-only",
        "weigh",
        "range(i + 1, stages)",
        "range(i + 1, min(i + 2, stages))",
        "dopri5",
    ),
    loops("weight-of-another-stage", "add", "kind(h * b[i])", "kind(h * b[-1 - i])", "dopri5"),
    loops("stage-at-start-time", "make", "kind(t + c[i] * h)", "kind(t)"),
    loops("controls-of-the-start", "make", "u[at[i]]", "u[0]"),
    loops("direction-of-the-start", "make_tangent", "du[at[i]]", "du[0]"),
    loops("tangent-of-state-forgotten", "make_tangent", "total = dx[j]", "total = 0 * dx[j]"),
    loops(
        "state-kept-after-the-step",
        "advance",
        "states[k - first, s, j] = x[s, j]",
        "states[max(k - 1 - first, 0), s, j] = x[s, j]",
    ),
    loops("state-instead-of-tangent", "tangent", "copy(dx, kept, mark)", "copy(x, kept, mark)"),
    loops("tangent-by-values", "tangent", "add(h, dx[s], dK)", "add(h, dx[s], K)"),
    loops(
        "stale-stages",
        "adjoint",
        "make(t, h, states[k - first, s], u[row], X, K)",
        "make(t, h, states[-1, s], u[row], X, K)",
    ),
    loops("stages-of-first-sample", "adjoint", "states[k - first, s]", "states[k - first, 0]"),
    loops("controls-of-first-step", "adjoint", "(k - base) * moving", "0 * moving"),
    loops("adjoint-at-start-time", "adjoint", ONE_STAGE, ONE_STAGE.replace("c[i]", "0")),
    loops("adjoint-of-one-control", "adjoint", ONE_STAGE, ONE_STAGE.replace("at[i]", "at[0]")),
    loops(
        "control-gradient-dropped",
        "adjoint",
        "pu[row, at[i], j] += q[i, n + j]",
        "pu[row, at[i], j] += 0",
    ),
    loops(
        "control-gradient-of-one-stage",
        "adjoint",
        "pu[row, at[i], j] += q",
        "pu[row, at[i], j] = q",
    ),
    loops("adjoint-without-identity", "adjoint", "p[s, j] += q[i, j]", "p[s, j] = q[i, j]"),
    loops(
        "adjoint-of-last-stage-missing",
        "adjoint",
        "for i in range(stages):",
        "for i in range(stages - 1):",
    ),
    loops(
        "observation-of-another-step", "adjoint", "marks[mark - 1] == k + 1", "marks[mark - 1] == k"
    ),
    loops("observation-instead", "observe", "p[s, j] += py", "p[s, j] = py"),
    loops(
        "second-order-not-carried",
        "second",
        "weigh(i, h, dp[s], dq, dpk)",
        "weigh(i, h, 0 * dp[s], dq, dpk)",
    ),
    loops("bend-along-the-start", "second", "pk, dX[i], du", "pk, tangents[k - first, s], du"),
    loops("sign-of-the-bend", "second", "dq[i, j] += bend[j]", "dq[i, j] -= bend[j]"),
    loops(
        "second-control-gradient-dropped",
        "second",
        "dpu[row, at[i], j] += dq[i, n + j]",
        "dpu[row, at[i], j] += q[i, n + j]",
    ),
    loops("second-order-by-first", "second", "dp[s, j] += dq[i, j]", "dp[s, j] += q[i, j]"),
    python("controls-of-first-step", StageRows, "_make", first_row_only),
    python("last-control-dropped", RowGather, "finish", without_last_control),
    python("observed-start-forgotten", Track, "finish", lambda f, self, py, p: None),
    python("second-order-begins-with-first", SecondOrder, "begin", from_the_adjoint),
    python("stored-state-is-shared", BinomialSweep, "_store", shared),
    python("stored-state-loses-a-bit", BinomialSweep, "_load", loses_a_bit),
    Mutant(
        "goes-the-general-way",
        "rk4",
        lambda m: m.setattr(compiled_march, "field_kernels", lambda field: None),
    ),
    field("sine-for-cosine", "np.cos", "np.sin"),
    field("state-of-first-sample", "g1[s]", "g1[0]"),
]


@pytest.fixture
def fresh_kernels():
    """Kernels keep what they have compiled."""
    kernels.kernels.cache_clear()
    yield
    kernels.kernels.cache_clear()


def failure_of(victim):
    if victim == "field":
        example = ExpressionDynamics.example()
        rates = {"a": "b*cos(t*a) + u", "b": "-a*b*u"}
        f = ExpressionDynamics(("a", "b"), ("u",), rates)
        return failure("dynamics", type(example)(f, x=[[0.5, -1.0]], u={"u": 0.5}), "compiled")
    return failure("discretization", VICTIMS[victim].example(), "compiled")


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_the_suite_catches(mutant, monkeypatch, fresh_kernels):
    mutant.plant(monkeypatch)
    assert failure_of(mutant.victim) is not None


@pytest.mark.parametrize("victim", [*VICTIMS, "field"])
def test_the_suite_passes_what_is_right(victim):
    assert failure_of(victim) is None


def test_the_suite_passes_the_text_as_it_stands(monkeypatch):
    """Interpreted loops differ from compiled ones by nothing that the checks would see."""
    interpreted(monkeypatch)
    assert failure_of("rk4") is None
