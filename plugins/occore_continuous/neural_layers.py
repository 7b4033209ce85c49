"""One layer of a neural field, z = g(t) ∘ (K v + b) + s(t), and its products.

Symbols and equations are those of `occore_continuous.neural_field`; a `second` here is the pair of
the adjoint and of its derivative along a tangent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from occore import Array, Controls, activation, array_namespace

LOGISTIC = activation("logistic")


class Tangent(NamedTuple):
    """Along (dv, du, dt), of what a layer computes."""

    dv: Array
    dq: Array
    de: Array | None
    dt: Array | float
    dz: Array


@dataclass(frozen=True)
class Layer:
    """A layer at one point; u has K and b, and k, or a, c and d, where it sees the time t."""

    t: Array | float
    u: Controls
    v: Array
    q: Array
    g: Array
    """The gate; None where there is none."""
    z: Array

    @classmethod
    def at(cls, t: Array | float, v: Array, u: Controls) -> Layer:
        """The layer evaluated at the time t."""
        q = v @ u["K"].T + u["b"]
        if "a" in u:
            g = LOGISTIC(u["a"] * t + u["c"])
            return cls(t, u, v, q, g, g * q + u["d"] * t)
        return cls(t, u, v, q, None, q + u["k"] * t if "k" in u else q)

    def tangent(self, dv: Array, du: Controls, dt: Array | float) -> Tangent:
        """dz, and what `second` needs of the tangents on the way to it."""
        dq = dv @ self.u["K"].T + self.v @ du["K"].T + du["b"]
        if self.g is not None:
            de = du["a"] * self.t + du["c"] + self.u["a"] * dt
            ds = du["d"] * self.t + self.u["d"] * dt
            return Tangent(dv, dq, de, dt, self.g * dq + self._slope * de * self.q + ds)
        if "k" in self.u:
            return Tangent(dv, dq, None, dt, dq + du["k"] * self.t + self.u["k"] * dt)
        return Tangent(dv, dq, None, dt, dq)

    def adjoint(self, pz: Array) -> tuple[Array, Controls, Array | float]:
        """pv, pu and pt."""
        pq = pz if self.g is None else self.g * pz
        pv, pu = self._affine(pq, self.v)
        if self.g is None and "k" not in self.u:
            return pv, pu, 0.0
        total = _over_samples(pz)
        if self.g is None:
            return pv, {**pu, "k": self.t * total}, _dot(self.u["k"], total)
        pe = self._slope * _over_samples(pz * self.q)
        gates = {"a": self.t * pe, "c": pe, "d": self.t * total}
        return pv, {**pu, **gates}, _dot(self.u["a"], pe) + _dot(self.u["d"], total)

    def second(
        self, pz: Array, dpz: Array, du: Controls, tangent: Tangent
    ) -> tuple[Array, Controls, Array | float]:
        """The derivatives of pv, pu and pt along the tangent, where pz changes by dpz."""
        dv, dq, de, dt, _ = tangent
        pq, dpq = pz, dpz
        if de is not None:
            pq, dpq = self.g * pz, self.g * dpz + self._slope * de * pz
        dpv, dpu = self._affine(dpq, self.v)
        dpv = dpv + pq @ du["K"]
        dpu["K"] = dpu["K"] + pq.T @ dv
        if de is None and "k" not in self.u:
            return dpv, dpu, 0.0
        total, dtotal = _over_samples(pz), _over_samples(dpz)
        shift = self.t * dtotal + dt * total
        if de is None:
            dpt = _dot(du["k"], total) + _dot(self.u["k"], dtotal)
            return dpv, {**dpu, "k": shift}, dpt
        pg = _over_samples(pz * self.q)
        pe = self._slope * pg
        dpe = self._slope * _over_samples(dpz * self.q + pz * dq) + self._bend * de * pg
        gates = {"a": self.t * dpe + dt * pe, "c": dpe, "d": shift}
        dpt = _dot(du["a"], pe) + _dot(self.u["a"], dpe)
        return dpv, {**dpu, **gates}, dpt + _dot(du["d"], total) + _dot(self.u["d"], dtotal)

    def _affine(self, pq: Array, v: Array) -> tuple[Array, Controls]:
        return pq @ self.u["K"], {"K": pq.T @ v, "b": _over_samples(pq)}

    @property
    def _slope(self) -> Array:
        """S', of the gate."""
        return self.g * (1 - self.g)

    @property
    def _bend(self) -> Array:
        """S''."""
        return (1 - 2 * self.g) * self.g * (1 - self.g)


def _over_samples(a: Array) -> Array:
    return array_namespace(a).sum(a, axis=0)


def _dot(a: Array, b: Array) -> Array:
    return array_namespace(a).sum(a * b)
