"""Multilayer perceptrons: chains of dense layers, the problems of 1986, studies over seeds."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register layers, an objective and data sets."""
    from occore_perceptron.datasets.encoder import Encoder
    from occore_perceptron.datasets.family_trees import FamilyTrees
    from occore_perceptron.datasets.negation import Negation
    from occore_perceptron.datasets.parity import Parity
    from occore_perceptron.datasets.shapeset import Shapeset
    from occore_perceptron.datasets.symmetry import Symmetry
    from occore_perceptron.datasets.tc import TC
    from occore_perceptron.datasets.xor import XOR
    from occore_perceptron.grouped_dense import GroupedDense
    from occore_perceptron.insensitive_least_squares import InsensitiveLeastSquares
    from occore_perceptron.linked_dense import LinkedDense

    registry.dynamics("grouped_dense", GroupedDense)
    registry.dynamics("linked_dense", LinkedDense)
    registry.objective("insensitive_least_squares", InsensitiveLeastSquares)
    registry.dataset("encoder", Encoder)
    registry.dataset("family_trees", FamilyTrees)
    registry.dataset("negation", Negation)
    registry.dataset("parity", Parity)
    registry.dataset("shapeset", Shapeset)
    registry.dataset("symmetry", Symmetry)
    registry.dataset("tc", TC)
    registry.dataset("xor", XOR)


@occore.hookimpl
def occore_commands(cli: Any) -> None:
    """Add `occore seeds`."""
    from occore_perceptron.seeds_command import command

    cli.add_command(command)


@occore.hookimpl
def occore_figure(run: Any) -> Any:
    """The weights of a network on a few patterns."""
    from occore_perceptron.weights_figure import figure

    return figure(run)
