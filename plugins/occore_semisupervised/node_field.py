"""Node field: the unknown is a value for each node of a graph and each class.

    f(x, u) = u["f"]

symbol   code      shape                    meaning
x        x         (samples, n, classes)    state that comes in; it is replaced
f        u["f"]    (n, classes)             control: the field itself
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from occore import (
    Array,
    Controls,
    Dynamics,
    Example,
    InputError,
    Layout,
    Linearization,
    array_namespace,
)


@dataclass(frozen=True)
class NodeField(Dynamics):
    """The field itself, whatever the state; a static phase of a problem on a graph."""

    affine_in_controls: ClassVar[bool] = True
    autonomous: ClassVar[bool] = True

    state_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.state_shape) != 2:
            raise InputError(
                "a node field takes the labels of a graph, of shape (nodes, classes); its state "
                f'has the shape {self.state_shape}: set data.kind = "graph"'
            )

    @property
    def controls(self) -> Layout:
        """f (n, classes)."""
        return Layout({"f": self.state_shape})

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """f, for each sample."""
        xp = array_namespace(u["f"])
        return xp.broadcast_to(u["f"][None, ...], x.shape)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """f, and its derivative."""
        return self(t, x, u), NodeFieldLinearization(x, u["f"])

    def row_design(self, t: float, x: Array) -> Any:
        """The identity, once for each sample."""
        import scipy.sparse

        eye = scipy.sparse.eye_array(self.state_shape[0], dtype=x.dtype, format="csr")
        return scipy.sparse.vstack([eye] * len(x), format="csr")

    @classmethod
    def example(cls) -> Example:
        """The control itself, by definition."""
        return Example(
            cls(state_shape=(2, 2)),
            x=[[[1.0, 0.0], [0.0, 0.0]]],
            u={"f": [[0.5, 0.25], [-0.5, 2.0]]},
            value=[[[0.5, 0.25], [-0.5, 2.0]]],
        )


@dataclass(frozen=True)
class NodeFieldLinearization(Linearization):
    """dy = df; nothing comes from the state."""

    x: Array
    f: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """df, for each sample."""
        return self.control_jvp(du)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """No px; pf = Σ py over the samples."""
        return 0 * py, self.control_vjp(py)

    def control_jvp(self, du: Controls) -> Array:
        """df, for each sample."""
        xp = array_namespace(du["f"])
        return xp.broadcast_to(du["f"][None, ...], self.x.shape)

    def control_vjp(self, py: Array) -> Controls:
        """Σ py over the samples."""
        return {"f": array_namespace(py).sum(py, axis=0)}

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """None: the map is linear."""
        return 0 * dx, {"f": 0 * du["f"]}
