"""Spectral clustering as an optimizer of the graph cut over a node field.

    min ½ tr FᵀLF  over FᵀF = I  →  eigenvectors  →  rows normalised  →  k-means  →  f = indicators

The relaxed problem has the smallest eigenvectors of L as its solution; k-means rounds it to a field
with a single one in each row, the cluster of the node, which is the result. Source and the reason
for the normalisation: `clustering`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    Example,
    InputError,
    Optimizer,
    Phase,
    Problem,
    State,
    Status,
    Structure,
    norm,
    sparse_quadratic,
)
from occore_semisupervised.clustering import spectral_clusters
from occore_semisupervised.eigen import Method
from occore_semisupervised.graph_cut import GraphCut


@dataclass(frozen=True)
class SpectralState(State):
    """The smallest eigenvalues and the norms of the residuals of their eigenvectors."""

    eigenvalues: Array
    residuals: Array


@dataclass(frozen=True)
class SpectralClustering(Optimizer[SpectralState]):
    """Direct: one iteration, as many clusters as the field has columns."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("sparse_quadratic",)
    state: ClassVar[type[State]] = SpectralState

    normalise_rows: Annotated[
        bool, Field(description="rows of eigenvectors scaled to length one, as they should be")
    ] = True
    method: Annotated[Method, Field(description="how the eigenvectors are found")] = "lanczos"
    restarts: Annotated[int, Field(gt=0, description="of k-means; the best one counts")] = 100
    seed: Annotated[int, Field(ge=0, description="of k-means and the first vectors")] = 0

    def init(self, problem: Problem, theta: Array) -> SpectralState:
        """Value and gradient at the start. Raises InputError for other objectives."""
        if [type(term) for _, term in problem.objective.terms] != [GraphCut]:
            raise InputError(
                'spectral_clustering minimises a graph cut alone: set objective.kind = "graph_cut"'
            )
        columns = sparse_quadratic(problem).B.shape[1]
        nothing = np.full(columns, np.nan)
        return self._state(problem, theta, 0, nothing, nothing)

    def step(
        self, problem: Problem, theta: Array, state: SpectralState
    ) -> tuple[Array, SpectralState]:
        """The clusters as indicators."""
        system = sparse_quadratic(problem)
        columns = system.B.shape[1]
        clusters, pairs = spectral_clusters(
            system.H.astype(np.float64),
            columns,
            np.random.default_rng(self.seed),
            normalise_rows=self.normalise_rows,
            method=self.method,
            restarts=self.restarts,
        )
        theta = np.eye(columns, dtype=theta.dtype)[clusters].ravel()
        return theta, self._state(problem, theta, 1, pairs.values, pairs.residuals)

    def finished(self, problem: Problem, theta: Array, state: SpectralState) -> Status | None:
        """After the one iteration."""
        return Status.SOLVED if state.iteration else None

    def report(self, problem: Problem, theta: Array, state: SpectralState) -> dict[str, Any]:
        """The eigenvalues, whose gap shows how many clusters there are, and their residuals."""
        return {"eigenvalues": state.eigenvalues, "residual_norms": state.residuals}

    def _state(
        self, problem: Problem, theta: Array, iteration: int, values: Array, residuals: Array
    ) -> SpectralState:
        value, gradient = problem.value_and_gradient(theta)
        return SpectralState(iteration, value, norm(gradient), float("nan"), values, residuals)

    @classmethod
    def example(cls) -> Example:
        """Two pairs of nodes, joined by an edge of weight 1/100: two clusters, by hand."""
        import scipy.sparse

        from occore import Data
        from occore_semisupervised.node_field import NodeField

        B = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.1, -0.1, 0.0], [0.0, 0.0, 1.0, -1.0]])
        cut = GraphCut(scipy.sparse.csr_array(B.T @ B))
        unlabelled = np.zeros((1, 4, 2))
        phase = Phase("field", NodeField((4, 2)))
        problem = Problem((phase,), cut, Data(unlabelled, unlabelled))
        value = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0]
        return Example(cls(), problem=problem, theta=np.zeros(8), value=value)
