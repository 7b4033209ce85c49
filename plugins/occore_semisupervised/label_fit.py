"""Label fit: half the squared distance of a field from the labels, on the nodes that have one.

Φ(x; c) = ½ Σ_i w_i ‖x_i − c_i‖²,    w_i = Σ_k c_ik: one for a label, zero for a row of zeros

symbol   code        shape                    meaning
x        x           (samples, n, classes)    field on the nodes
c        target      (samples, n, classes)    labels: rows of class probabilities, or zeros
r        residual    (samples, n, classes)    √w (x − c), so that Φ = ½‖r‖²

Zhu, Ghahramani and Lafferty, Semi-supervised learning using Gaussian fields (2003); with the energy
α/2 fᵀLf as a penalty: Belkin, Matveeva and Niyogi, Regularization on large graphs (2004).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from occore import Array, Data, Example, ObjectiveLinearization, TerminalObjective, array_namespace
from occore_semisupervised.label_metrics import label_errors


@dataclass(frozen=True)
class LabelFit(TerminalObjective):
    """½ Σ (x_i − c_i)² over the labelled nodes."""

    sum_of_squares: ClassVar[bool] = True
    affine_residual: ClassVar[bool] = True

    def __call__(self, x: Array, target: Array) -> Array:
        """Φ."""
        r = root_weights(target) * (x - target)
        return array_namespace(x).sum(r * r) / 2

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """Φ and the derivatives, all from r."""
        root = root_weights(target)
        r = root * (x - target)
        return array_namespace(x).sum(r * r) / 2, LabelFitLinearization(r, root)

    def row_quadratic(self, target: Array) -> tuple[Any, Array]:
        """The diagonal matrix of the weights, and the labels."""
        import scipy.sparse

        return (
            scipy.sparse.diags_array(np.sum(target, axis=-1).ravel(), format="csr"),
            target.reshape(-1, target.shape[-1]),
        )

    def metrics(self, x: Array, data: Data) -> dict[str, float]:
        """Error rates on the nodes with and without labels."""
        return label_errors(x, data)

    @classmethod
    def example(cls) -> Example:
        """½ (1² + 2² + 3² + 1²) = 15/2: the second node has no label, by hand."""
        return Example(
            cls(),
            x=[[[2.0, -2.0], [7.0, 9.0], [3.0, 2.0]]],
            target=[[[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]],
            value=7.5,
        )


def root_weights(target: Array) -> Array:
    """√w (samples, n, 1)."""
    xp = array_namespace(target)
    return xp.sqrt(xp.sum(target, axis=-1, keepdims=True))


@dataclass(frozen=True)
class LabelFitLinearization(ObjectiveLinearization):
    """Gradient √w r, Hessian w."""

    residual: Array
    root: Array

    def gradient(self) -> Array:
        """√w r = w (x − c)."""
        return self.root * self.residual

    def hessian_product(self, d: Array) -> Array:
        """w d."""
        return self.root**2 * d

    def gauss_newton_product(self, d: Array) -> Array:
        """All of the Hessian."""
        return self.root**2 * d

    def residual_jvp(self, d: Array) -> Array:
        """√w d."""
        return self.root * d

    def residual_vjp(self, w: Array) -> Array:
        """√w w."""
        return self.root * w
