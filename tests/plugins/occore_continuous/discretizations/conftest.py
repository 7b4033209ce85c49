"""A field that has everything, at which every discretization is tried."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from occore import Dynamics, Layout, Linearization
from occore_continuous.discretizations.shears import Shears


@dataclass(frozen=True, eq=False)
class Field(Dynamics):
    """f = γ tanh(C x + b s(t)) + M x, C = K ∘ mask, s = sin(1 + 2t): all a field can have.

    Nonlinear, nonautonomous, with controls K (n, n) and b (n,), stiff in M where wanted.
    """

    M: Any
    mask: Any
    kind: str | None = "dense"
    gain: float = 1.0

    @property
    def controls(self):
        n = len(self.M)
        return Layout({"K": (n, n), "b": (n,)})

    def astype(self, dtype):
        """The same field with constants of this type."""
        return replace(self, M=self.M.astype(dtype), mask=self.mask.astype(dtype))

    def __call__(self, t, x, u):
        return self.gain * self._tanh(t, x, u) + x @ self.M.T

    def linearize(self, t, x, u):
        s = self._tanh(t, x, u)
        part = FieldLinearization(self, x, u["K"] * self.mask, s, math.sin(1 + 2 * t))
        return self.gain * s + x @ self.M.T, part

    def _tanh(self, t, x, u):
        return np.tanh(x @ (u["K"] * self.mask).T + u["b"] * math.sin(1 + 2 * t))

    @property
    def jacobian(self):
        return {None: None, "dense": self._dense, "sparse": self._sparse}[self.kind]

    def _dense(self, t, x, u):
        s = self._tanh(t, x, u)
        return self.gain * (1 - s**2)[:, :, None] * (u["K"] * self.mask) + self.M

    def _sparse(self, t, x, u):
        return scipy.sparse.block_diag(list(self._dense(t, x, u)), format="csr")

    def splitting(self):
        return replace(self, M=0 * self.M), replace(self, gain=0.0)

    def linear_part(self):
        return self.M


@dataclass(frozen=True, eq=False)
class FieldLinearization(Linearization):
    """With s = tanh(z): s' = 1 − s², s'' = −2 s s'."""

    field: Field
    x: Any
    C: Any
    s: Any
    time: float

    @property
    def slope(self):
        return self.field.gain * (1 - self.s**2)

    def jvp(self, dx, du):
        return self.slope * self._dz(dx, du) + dx @ self.field.M.T

    def vjp(self, py):
        pz = self.slope * py
        return pz @ self.C + py @ self.field.M, self._controls(pz, self.x)

    def curvature(self, py, dx, du):
        s1 = self.slope
        dpz = -2 * self.s * s1 * self._dz(dx, du) * py
        dC = du["K"] * self.field.mask
        first, second = self._controls(dpz, self.x), self._controls(s1 * py, dx)
        dpu = {"K": first["K"] + second["K"], "b": first["b"]}
        return dpz @ self.C + s1 * py @ dC, dpu

    def _dz(self, dx, du):
        return dx @ self.C.T + self.x @ (du["K"] * self.field.mask).T + du["b"] * self.time

    def _controls(self, pz, x):
        return {"K": (pz.T @ x) * self.field.mask, "b": self.time * np.sum(pz, axis=0)}


def general(kind="dense") -> Field:
    """Four states, all coupled; M is not normal."""
    M = np.diag([-1.0, -0.5, -0.8, -0.3]) + np.diag([0.6, -0.4, 0.5], 1) + np.diag([0.2, 0.3], -2)
    return Field(M, np.ones((4, 4)), kind)


def separable() -> Field:
    """Two positions and two momenta: q' depends on p alone, p' on q alone."""
    block = np.kron([[0.0, 1.0], [1.0, 0.0]], np.ones((2, 2)))
    M = block * np.array(
        [[0, 0, 1.0, 0.2], [0, 0, -0.3, 0.8], [-1.1, 0.3, 0, 0], [0.1, -0.7, 0, 0]]
    )
    return Field(M, block)


@pytest.fixture
def make_field(request):
    """Makes the field on which the method `entry` is of its order."""
    entry = request.getfixturevalue("entry")
    return separable if issubclass(entry.cls, Shears) else general


@pytest.fixture
def make_general():
    """Makes the field in which all states are coupled."""
    return general


@pytest.fixture
def make_kind():
    """Makes that field with a dense, a sparse or no Jacobian."""
    return general


@pytest.fixture
def fresh_point():
    """Makes sources of points that all begin with the same numbers."""

    def make():
        rng = np.random.default_rng(3)

        def at(abscissae):
            u = general().controls.stacked(len(abscissae)).random(rng)
            return rng.standard_normal((3, 4)), u

        return at

    return make


@pytest.fixture
def point(rng):
    """x (3, 4), and controls at a number of abscissae."""

    def at(abscissae, dtype=np.float64):
        x = rng.standard_normal((3, 4)).astype(dtype)
        u = general().controls.stacked(len(abscissae)).random(rng, dtype)
        return x, u

    return at


def pytest_generate_tests(metafunc):
    """`entry`: all that are registered; `tableau_entry`, `implicit_entry`: those that have it."""
    names = {"entry", "tableau_entry", "implicit_entry"} & set(metafunc.fixturenames)
    if not names:
        return
    from occore.plugins import load_host

    entries = load_host().registry.entries("discretization")
    for name in names:
        field = {"tableau_entry": "tableau", "implicit_entry": "solver"}.get(name, "step")
        chosen = [e for e in entries if getattr(e.cls, field, None) is not None]
        metafunc.parametrize(name, chosen, ids=lambda e: e.name)
