"""Semisupervised learning: a field on the nodes of a graph, fitted to a few labels."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register the fields, objectives, optimizers and data sets."""
    from occore_semisupervised.annuli import Annuli
    from occore_semisupervised.cg import CG
    from occore_semisupervised.eigenbasis import Eigenbasis
    from occore_semisupervised.graph import Graph
    from occore_semisupervised.graph_cut import GraphCut
    from occore_semisupervised.graph_diffusion import GraphDiffusion
    from occore_semisupervised.graph_energy import GraphEnergy
    from occore_semisupervised.label_cross_entropy import LabelCrossEntropy
    from occore_semisupervised.label_fit import LabelFit
    from occore_semisupervised.label_propagation import LabelPropagation
    from occore_semisupervised.node_field import NodeField
    from occore_semisupervised.sparse_lu import SparseLU
    from occore_semisupervised.spectral_clustering import SpectralClustering

    registry.dataset("annuli", Annuli)
    registry.dataset("graph", Graph)
    registry.dynamics("node_field", NodeField)
    registry.dynamics("graph_diffusion", GraphDiffusion)
    registry.dynamics("label_propagation", LabelPropagation)
    registry.objective("label_fit", LabelFit)
    registry.objective("label_cross_entropy", LabelCrossEntropy)
    registry.objective("graph_energy", GraphEnergy)
    registry.objective("graph_cut", GraphCut)
    registry.optimizer("cg", CG)
    registry.optimizer("sparse_lu", SparseLU)
    registry.optimizer("eigenbasis", Eigenbasis)
    registry.optimizer("spectral_clustering", SpectralClustering)


@occore.hookimpl
def occore_figure(run: Any) -> Any:
    """The nodes of a graph, coloured by class."""
    from occore_semisupervised.figure import figure_of

    return figure_of(run)
