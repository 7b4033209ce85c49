"""Label cross-entropy: the negative log-likelihood of the labels, on the nodes that have one.

Φ(x; c) = Σ_i (w_i log Σ_k e^{x_ik} − Σ_k c_ik x_ik),    w_i = Σ_k c_ik: one for a label, or zero

symbol   code        shape                    meaning
x        x           (samples, n, classes)    field on the nodes: logarithms of odds
c        target      (samples, n, classes)    labels: rows of class probabilities, or zeros
q        q           (samples, n, classes)    softmax of x along the classes

The exponentials are shifted by the largest entry of each node, which changes nothing but keeps them
finite. ∇Φ = w q − c,  ∇²Φ d = w (q d − q Σ q d), which is positive semidefinite.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import Array, Data, Example, ObjectiveLinearization, TerminalObjective, array_namespace
from occore_semisupervised.label_metrics import label_errors


@dataclass(frozen=True)
class LabelCrossEntropy(TerminalObjective):
    """−Σ log softmax(x)_label over the labelled nodes."""

    def __call__(self, x: Array, target: Array) -> Array:
        """Φ."""
        return self.linearize(x, target)[0]

    def linearize(self, x: Array, target: Array) -> tuple[Array, ObjectiveLinearization]:
        """Φ and the derivatives, from q."""
        xp = array_namespace(x)
        w = xp.sum(target, axis=-1, keepdims=True)
        z = x - xp.max(x, axis=-1, keepdims=True)
        e = xp.exp(z)
        total = xp.sum(e, axis=-1, keepdims=True)
        value = xp.sum(w * xp.log(total)) - xp.sum(target * z)
        return value, LabelCrossEntropyLinearization(e / total, w, target)

    def metrics(self, x: Array, data: Data) -> dict[str, float]:
        """Error rates on the nodes with and without labels."""
        return label_errors(x, data)

    @classmethod
    def example(cls) -> Example:
        """log(e⁰ + e^{log 3}) = log 4, once minus 0 and once minus log 3: log 16/3, by hand."""
        log3 = 1.0986122886681098
        return Example(
            cls(),
            x=[[[0.0, log3], [7.0, 9.0], [log3, 0.0]]],
            target=[[[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]],
            value=1.6739764335716716,
        )


@dataclass(frozen=True)
class LabelCrossEntropyLinearization(ObjectiveLinearization):
    """Gradient w q − c, Hessian w (diag q − q qᵀ) of each node."""

    q: Array
    w: Array
    target: Array

    def gradient(self) -> Array:
        """w q − c."""
        return self.w * self.q - self.target

    def hessian_product(self, d: Array) -> Array:
        """w (q d − q Σ q d)."""
        qd = self.q * d
        return self.w * (qd - self.q * array_namespace(d).sum(qd, axis=-1, keepdims=True))

    def gauss_newton_product(self, d: Array) -> Array:
        """All of the Hessian."""
        return self.hessian_product(d)
