"""Problems on graphs that several tests solve."""

from dataclasses import replace

import numpy as np
import pytest

import occore
from occore_least_squares.datasets.digits import Digits
from occore_semisupervised.annuli import Annuli
from occore_semisupervised.graph import Graph
from occore_semisupervised.graph_energy import GraphEnergy
from occore_semisupervised.label_fit import LabelFit
from occore_semisupervised.node_field import NodeField


@pytest.fixture
def annuli():
    """The graph of the course's annuli, 10 neighbours, three labels a class; connected or not."""

    def load(seed, **options):
        dataset = replace(Graph(source=Annuli(), labels_per_class=3), **options)
        return dataset.load((), np.random.default_rng(seed))

    return load


@pytest.fixture(scope="session")
def digits():
    """The graph of the digits, 10 neighbours, ten labels a class."""
    dataset = Graph(source=Digits(), labels_per_class=10)
    return dataset.load((), np.random.default_rng(0))


@pytest.fixture
def fitted():
    """fitted(data, alpha): the problem ½ Σ (f − c)² + α/2 tr fᵀLf."""

    def problem(data, alpha=1.0):
        phases = (occore.Phase("field", NodeField(data.inputs.shape[1:])),)
        energy = GraphEnergy().for_phases(phases).for_data(data)
        return occore.Problem(phases, LabelFit() + alpha * energy, data)

    return problem


@pytest.fixture
def minimise():
    """minimise(optimizer, problem): θ, the last state and the status."""

    def run(optimizer, problem):
        theta = np.zeros(problem.size, problem.dtype)
        state = optimizer.init(problem, theta)
        while (status := optimizer.finished(problem, theta, state)) is None:
            theta, state = optimizer.step(problem, theta, state)
        return theta, state, status

    return run
