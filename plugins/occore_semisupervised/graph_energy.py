"""Graph energy: how much a field differs along the edges, the smoothness penalty on a graph.

    R(f) = ½ tr fᵀLf = ½ Σ_edges w_ij ‖f_i − f_j‖² = ½‖B f‖²

symbol   code         shape            meaning
f        f            (n, classes)     the control of each node field
L        laplacian    (n, n) sparse    Laplacian of the graph, from the data
B        incidence    (edges, n)       BᵀB = L

Each edge counts once; summed over both orders of its ends the factor is ¼ (see `graphs.laplacian`).
With the weight α on the term: α/2 tr fᵀLf.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from occore import (
    Array,
    ControlObjective,
    Data,
    Example,
    InputError,
    ObjectiveLinearization,
    Phase,
    PhaseControls,
    array_namespace,
)
from occore_semisupervised.graph_data import graph_of
from occore_semisupervised.graphs.laplacian import node_product, require_symmetric
from occore_semisupervised.node_field import NodeField


@dataclass(frozen=True)
class GraphEnergy(ControlObjective):
    """½ tr fᵀLf over the node fields of the chain."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    fields: tuple[str, ...] = field(default=(), metadata={"option": False})
    laplacian: Any = field(default=None, compare=False, metadata={"option": False})
    incidence: Any = field(default=None, compare=False, metadata={"option": False})

    def for_phases(self, phases: Sequence[Phase]) -> GraphEnergy:
        """The energy of these fields. Raises InputError where the chain has none."""
        fields = tuple(p.name for p in phases if isinstance(p.dynamics, NodeField))
        if not fields:
            raise InputError('needs a phase with dynamics = { kind = "node_field" }')
        return replace(self, fields=fields)

    def for_data(self, data: Data) -> GraphEnergy:
        """With the Laplacian of the data. Raises InputError for none, or the random walk's."""
        graph = graph_of(data)
        require_symmetric(graph.kind)
        return replace(self, laplacian=graph.laplacian, incidence=graph.incidence)

    def row_quadratic(self, phase: str, control: str, rows: int) -> Any:
        """L, for a node field."""
        return self.laplacian if phase in self.fields else None

    def __call__(self, controls: PhaseControls) -> Array:
        """R."""
        return self.linearize(controls)[0]

    def linearize(self, controls: PhaseControls) -> tuple[Array, ObjectiveLinearization]:
        """R and its derivatives, from L f."""
        part = GraphEnergyLinearization(self, controls)
        products, total = part.gradient(), 0.0
        for phase in self.fields:
            f = controls[phase]["f"]
            total = total + array_namespace(f).sum(f * products[phase]["f"]) / 2
        return total, part

    def products(self, controls: PhaseControls) -> PhaseControls:
        """L f of each field."""
        return {p: {"f": node_product(self.laplacian, controls[p]["f"])} for p in self.fields}

    @classmethod
    def example(cls) -> Example:
        """Three nodes in a row, weights 1 and 4: ½ (1 (1 − 3)² + 4 (3 − 0)²) = 20, by hand."""
        import scipy.sparse

        B = scipy.sparse.csr_array(np.array([[1.0, -1.0, 0.0], [0.0, 2.0, -2.0]]))
        return Example(
            cls(fields=("field",), laplacian=(B.T @ B).tocsr(), incidence=B),
            u={"field": {"f": [[1.0], [3.0], [0.0]]}},
            value=20.0,
        )


@dataclass(frozen=True)
class GraphEnergyLinearization(ObjectiveLinearization):
    """Gradient L f, Hessian L, residual B f of all fields in one vector."""

    energy: GraphEnergy
    controls: PhaseControls

    @cached_property
    def residual(self) -> Array:
        """B f."""
        return self.residual_jvp(self.controls)

    def gradient(self) -> PhaseControls:
        """L f."""
        return self.energy.products(self.controls)

    def hessian_product(self, d: PhaseControls) -> PhaseControls:
        """L d."""
        return self.energy.products(d)

    def gauss_newton_product(self, d: PhaseControls) -> PhaseControls:
        """All of the Hessian."""
        return self.energy.products(d)

    def residual_jvp(self, d: PhaseControls) -> Array:
        """B d, a vector."""
        parts = [self.energy.incidence @ d[phase]["f"] for phase in self.energy.fields]
        return np.concatenate([part.ravel() for part in parts])

    def residual_vjp(self, w: Array) -> PhaseControls:
        """Bᵀ w."""
        B, result, start = self.energy.incidence, {}, 0
        for phase in self.energy.fields:
            columns = self.controls[phase]["f"].shape[1]
            end = start + B.shape[0] * columns
            result[phase] = {"f": B.T @ w[start:end].reshape(-1, columns)}
            start = end
        return result
