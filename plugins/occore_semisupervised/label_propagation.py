"""Label propagation as a layer: the fitted field as a function of the penalty α and the width σ.

    f = A⁻¹ M x,    A = M + α L(σ),    L(σ)_ij = −exp(−D_ij/σ) on the edges, rows sum to zero

f minimises ½ Σ_labelled (f_i − x_i)² + (α/2) fᵀLf. Its controls are log α and log σ, so that an
objective on other labels (validation) is minimised over them by any optimizer: the gradient is the
adjoint of the linear system (the implicit function theorem). With a = log α, s = log σ:

    A_a = α L,    A_s = α L₁,    A_aa = α L,    A_as = α L₁,    A_ss = α L₂
    L, L₁, L₂ are Laplacians with the weights W,  W D/σ = dW/ds,  W (D/σ)² − W D/σ = d²W/ds²

    tangent    A df = M dx − dA f,    dA = A_a da + A_s ds
    adjoint    A q = p,    px = M q,    pa = −⟨q, A_a f⟩,    ps = −⟨q, A_s f⟩
    second     A dq = −dA q,    dpx = M dq,    dpa = −⟨dq, A_a f⟩ − ⟨q, dA_a f⟩ − ⟨q, A_a df⟩

symbol   code                          shape                    meaning
x        x                             (samples, n, classes)    labels that are given
a, s     u["log_alpha"], u["log_width"]   ()                    controls
M        given                         (n,)                     one for a given label, else zero
D        edges.D                       (edges,)                 squared distances, perhaps scaled

Nodes that no label reaches keep f = 0. Where σ is so small that the weights differ by more decades
than numbers have digits, A is singular to rounding and f is not a number, which every line search
steps back from. Griewank and Walther, Evaluating Derivatives (2008), chapter 15 (implicit
functions).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from occore import (
    Array,
    ComputationError,
    Controls,
    Data,
    Dynamics,
    Example,
    InputError,
    Layout,
    Linearization,
    array_namespace,
)
from occore_semisupervised.eigen.factorisation import factorised
from occore_semisupervised.graph_data import graph_of
from occore_semisupervised.graphs.connectivity import components
from occore_semisupervised.graphs.edges import Edges
from occore_semisupervised.graphs.elimination import eliminate
from occore_semisupervised.graphs.laplacian import (
    by_columns,
    incidence,
    laplacian,
    weight_matrix,
)


@dataclass(frozen=True)
class LabelPropagation(Dynamics):
    """A⁻¹ M x, by one sparse factorisation for each (α, σ); a static phase."""

    controls: ClassVar[Layout] = Layout({"log_alpha": (), "log_width": ()})
    autonomous: ClassVar[bool] = True

    alpha: Annotated[float, Field(gt=0, allow_inf_nan=False, description="α at the start")] = 1.0
    width: Annotated[
        float | None,
        Field(gt=0, allow_inf_nan=False, description="σ at the start; that of the graph if none"),
    ] = None
    edges: Any = field(default=None, compare=False, metadata={"option": False})
    given: Any = field(default=None, compare=False, metadata={"option": False})

    def for_data(self, data: Data) -> LabelPropagation:
        """With the edges and the given labels of the data.

        Raises InputError where the data are no graph with Gaussian weights and L = D − W.
        """
        graph = graph_of(data)
        if graph.width is None or graph.kind != "combinatorial":
            raise InputError(
                'needs a graph with weights = "gaussian" and laplacian = "combinatorial"'
            )
        return replace(
            self,
            edges=graph.edges,
            given=graph.inputs[0].any(axis=1).astype(float),
            width=self.width or graph.width,
        )

    def initial_controls(self, rng: np.random.Generator) -> Controls:
        """The logarithms of the options."""
        assert self.width is not None  # noqa: S101 - for_data knows one
        return {
            "log_alpha": np.asarray(math.log(self.alpha)),
            "log_width": np.asarray(math.log(self.width)),
        }

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """f."""
        return self.linearize(t, x, u)[0]

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """f, and its derivative with one factorisation."""
        system = PropagationSystem(self.edges, self.given, u["log_alpha"], u["log_width"], self)
        f = system.solve(system.masked(x))
        return f, LabelPropagationLinearization(system, f)

    @cached_property
    def differences(self) -> Any:
        """(edges, n), sparse: v_i − v_j of each edge."""
        return incidence(self.edges, np.ones(len(self.edges.D)))

    @cached_property
    def unreached(self) -> Array:
        """(n,): one for a node in a component without a given label, else zero."""
        label = components(weight_matrix(self.edges, np.ones(len(self.edges.D))))
        reached = np.zeros(label.max() + 1, bool)
        reached[label[self.given > 0]] = True
        return (~reached[label]).astype(float)

    @classmethod
    def example(cls) -> Example:
        """Two nodes with D = log 2, α = 2, σ = 1, a label 1 on the first only, by hand.

        W = 1/2, A = [[2, −1], [−1, 1]] and A f = (1, 0): f = (1, 1), whatever α and σ. With a
        second label 0 on the other node A = [[2, −1], [−1, 2]]: f = (2/3, 1/3).
        """
        edges = Edges(2, np.array([0]), np.array([1]), np.array([math.log(2.0)]))
        return Example(
            cls(alpha=2.0, width=1.0, edges=edges, given=np.ones(2)),
            x=[[[1.0], [0.0]]],
            u={"log_alpha": math.log(2.0), "log_width": 0.0},
            value=[[[2 / 3], [1 / 3]]],
        )


class PropagationSystem:
    """A and its derivatives at one (a, s), as products with fields (samples, n, classes)."""

    def __init__(
        self, edges: Edges, given: Array, a: Array, s: Array, layer: LabelPropagation
    ) -> None:
        self.edges, self.given, self.layer = edges, given, layer
        self.xp = xp = array_namespace(a, s)
        self.alpha = xp.exp(a)
        D = edges.D.astype(np.real(a).dtype) if xp is np else xp.asarray(edges.D)
        ratio = D * xp.exp(-s)
        W = xp.exp(-ratio)
        self.weights = (W, W * ratio, W * ratio * (ratio - 1))

    def masked(self, x: Array) -> Array:
        """M x."""
        given = self.given[:, None]
        return (given.astype(x.dtype) if self.xp is np else self.xp.asarray(given)) * x

    def product(self, order: int, x: Array) -> Array:
        """α L x, α L₁ x or α L₂ x, edge by edge."""
        if self.xp is not np:
            return self._dense(order) @ x
        B, w = self.layer.differences.astype(x.real.dtype), self.alpha * self.weights[order]
        return by_columns(lambda v: B.T @ (w[:, None] * (B @ v)), x)

    def solve(self, b: Array) -> Array:
        """A⁻¹ b."""
        return self._solver(b)

    @cached_property
    def _solver(self) -> Callable[[Array], Array]:
        import scipy.sparse

        diagonal = self.given + self.layer.unreached
        if self.xp is not np:
            A = self._dense(0) + self.xp.asarray(np.diag(diagonal))
            return lambda b: eliminate(A, b)
        L = laplacian(weight_matrix(self.edges, self.alpha * self.weights[0]))
        try:
            solve = factorised(L + scipy.sparse.diags_array(diagonal).astype(L.dtype))
        except ComputationError:
            return lambda b: np.full_like(b, np.nan)
        # L 1 = 0, so that A 1 is the diagonal: whether A⁻¹ gives it back shows what it is worth
        one = solve(diagonal.astype(L.dtype))
        if not np.max(np.abs(one - 1)) <= np.sqrt(np.finfo(L.dtype).eps):
            return lambda b: np.full_like(b, np.nan)
        return lambda b: by_columns(
            lambda v: solve(np.ascontiguousarray(v, np.result_type(v, L.dtype))), b
        )

    def _dense(self, order: int) -> Array:
        """α times a Laplacian, dense, for few nodes in an array library without sparse matrices."""
        B = self.xp.asarray(self.layer.differences.toarray())
        return self.alpha * (B.T @ (self.weights[order][:, None] * B))


@dataclass(frozen=True)
class LabelPropagationLinearization(Linearization):
    """Products by the tangent and the adjoint linear system."""

    system: PropagationSystem
    f: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """df."""
        system = self.system
        return system.solve(system.masked(dx) - self._moved(self.f, du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """M q, and minus the products of q with A_a f and A_s f."""
        q = self.system.solve(py)
        return self.system.masked(q), self._controls(q, self.f)

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The directional derivative of `vjp`."""
        system, xp = self.system, self.system.xp
        q = system.solve(py)
        df, dq = self.jvp(dx, du), -system.solve(self._moved(q, du))
        a, s = du["log_alpha"], du["log_width"]
        first, second = self._controls(dq, self.f), self._controls(q, df)
        L, L1, L2 = (system.product(order, self.f) for order in range(3))
        turned = {
            "log_alpha": xp.sum(q * (a * L + s * L1)),
            "log_width": xp.sum(q * (a * L1 + s * L2)),
        }
        return system.masked(dq), {k: first[k] + second[k] - turned[k] for k in turned}

    def _moved(self, f: Array, du: Controls) -> Array:
        """dA f."""
        product = self.system.product
        return du["log_alpha"] * product(0, f) + du["log_width"] * product(1, f)

    def _controls(self, q: Array, f: Array) -> Controls:
        """−⟨q, A_a f⟩ and −⟨q, A_s f⟩."""
        product, xp = self.system.product, self.system.xp
        return {
            "log_alpha": -xp.sum(q * product(0, f)),
            "log_width": -xp.sum(q * product(1, f)),
        }
