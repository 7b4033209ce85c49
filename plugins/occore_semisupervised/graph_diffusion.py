"""Graph diffusion: heat flow on a graph, with the labels as the start.

    dx/dt = f(x) = −L x

symbol   code   shape                    meaning
x        x      (samples, n, classes)    heat on the nodes, one field for each class
L        laplacian (n, n), sparse        Laplacian of the graph, from the data

With L = D − W the sum of x over the nodes stays, and x tends to its mean over each component; with
the random-walk Laplacian it is the sum weighted by degrees. The eigenvalues of L spread over many
decades, hence implicit steps. Kondor and Lafferty, Diffusion kernels on graphs (2002).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from occore import Array, Controls, Data, Dynamics, Example, Layout, Linearization, LinearMap
from occore_semisupervised.graph_data import graph_of
from occore_semisupervised.graphs.laplacian import node_product


@dataclass(frozen=True)
class GraphDiffusion(Dynamics):
    """−L x; an integrated phase without controls, for stiff methods."""

    controls: ClassVar[Layout] = Layout({})
    autonomous: ClassVar[bool] = True

    laplacian: Any = field(default=None, compare=False, metadata={"option": False})

    def for_data(self, data: Data) -> GraphDiffusion:
        """With the Laplacian of the data. Raises InputError where the data are no graph."""
        return replace(self, laplacian=graph_of(data).laplacian)

    def __call__(self, t: float, x: Array, u: Controls) -> Array:
        """−L x."""
        return -node_product(self.laplacian, x)

    def linearize(self, t: float, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """−L x and its derivative."""
        L = self.laplacian
        return self(t, x, u), LinearMap(
            lambda dx: -node_product(L, dx), lambda py: -node_product(L.T.tocsr(), py)
        )

    def jacobian(self, t: float, x: Array, u: Controls) -> Any:
        """−L for each class of each sample, sparse (samples · n · classes)²."""
        import scipy.sparse

        samples, _, columns = x.shape
        of_sample = scipy.sparse.kron(-self.laplacian, scipy.sparse.eye_array(columns))
        blocks = scipy.sparse.kron(scipy.sparse.eye_array(samples), of_sample, format="csr")
        return blocks.astype(x.dtype)

    @classmethod
    def example(cls) -> Example:
        """Three nodes in a row with weights 1 and 2, x = (1, 0, −2), by hand:

        L x = (x_1 − x_2, (x_2 − x_1) + 2 (x_2 − x_3), 2 (x_3 − x_2)) = (1, −1 + 4, −4).
        """
        return Example(
            cls(_row_of_three()), x=[[[1.0], [0.0], [-2.0]]], u={}, value=[[[-1.0], [-3.0], [4.0]]]
        )


def _row_of_three() -> Any:
    import scipy.sparse

    return scipy.sparse.csr_array(np.array([[1.0, -1.0, 0.0], [-1.0, 3.0, -2.0], [0.0, -2.0, 2.0]]))
