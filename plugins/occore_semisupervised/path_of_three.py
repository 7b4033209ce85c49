"""The example of the solvers: three nodes in a row, labels at both ends."""

from __future__ import annotations

import numpy as np

from occore import Data, Example, Optimizer, Phase, Problem


def path_of_three(optimizer: Optimizer) -> Example:
    """½ ((f₁ − 1)² + f₃²) + ½ ((f₁ − f₂)² + (f₂ − f₃)²) in the first class, by hand.

    2 f₁ − f₂ = 1,  2 f₂ = f₁ + f₃,  2 f₃ − f₂ = 0:  f = (3/4, 1/2, 1/4); the second class is its
    mirror image.
    """
    import scipy.sparse

    from occore_semisupervised.graph_energy import GraphEnergy
    from occore_semisupervised.label_fit import LabelFit
    from occore_semisupervised.node_field import NodeField

    labels = np.array([[[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]])
    B = scipy.sparse.csr_array(np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]))
    energy = GraphEnergy(fields=("field",), laplacian=(B.T @ B).tocsr(), incidence=B)
    phase = Phase("field", NodeField((3, 2)))
    problem = Problem((phase,), LabelFit() + 1.0 * energy, Data(labels, labels))
    value = [0.75, 0.25, 0.5, 0.5, 0.25, 0.75]
    return Example(optimizer, problem=problem, theta=np.zeros(6), value=value, rtol=1e-10)
