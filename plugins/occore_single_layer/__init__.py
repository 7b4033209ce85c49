"""Single layer networks: a hidden layer σ(K x + b) and what trains it."""

from typing import Any

import occore


@occore.hookimpl
def occore_register(registry: Any) -> None:
    """Register layers, optimizers, data sets and what looks at layers."""
    from occore_single_layer.adagrad import AdaGrad
    from occore_single_layer.adam import Adam
    from occore_single_layer.datasets.inverse_crime import InverseCrime
    from occore_single_layer.datasets.peaks import Peaks
    from occore_single_layer.datasets.sinc import Sinc
    from occore_single_layer.dense import Dense
    from occore_single_layer.flatten import Flatten
    from occore_single_layer.gauss_newton import GaussNewton
    from occore_single_layer.gram_newton import GramNewton
    from occore_single_layer.layer_statistics import LayerStatistics
    from occore_single_layer.levenberg_marquardt import LevenbergMarquardt
    from occore_single_layer.random_layer import RandomLayer
    from occore_single_layer.saa import SAA
    from occore_single_layer.sgd import SGD
    from occore_single_layer.spectral_descent import SpectralDescent
    from occore_single_layer.stochastic_diagonal_lm import StochasticDiagonalLM
    from occore_single_layer.varpro import VarPro

    registry.dynamics("dense", Dense)
    registry.dynamics("flatten", Flatten)
    registry.dynamics("random_layer", RandomLayer)
    registry.optimizer("adagrad", AdaGrad)
    registry.optimizer("adam", Adam)
    registry.optimizer("gauss_newton", GaussNewton)
    registry.optimizer("gram_newton", GramNewton)
    registry.optimizer("levenberg_marquardt", LevenbergMarquardt)
    registry.optimizer("saa", SAA)
    registry.optimizer("sgd", SGD)
    registry.optimizer("spectral_descent", SpectralDescent)
    registry.optimizer("stochastic_diagonal_lm", StochasticDiagonalLM)
    registry.optimizer("varpro", VarPro)
    registry.dataset("inverse_crime", InverseCrime)
    registry.dataset("peaks", Peaks)
    registry.dataset("sinc", Sinc)
    registry.observer("layer_statistics", LayerStatistics)


@occore.hookimpl
def occore_commands(cli: Any) -> None:
    """Add `occore loss-picture`."""
    from occore_single_layer.command import command

    cli.add_command(command)


@occore.hookimpl
def occore_figure(run: Any) -> Any:
    """What an observer saw of the layers, or else the data and the fit of a regression."""
    from occore_single_layer import figures, layer_figure

    return layer_figure.figure(run) or figures.figure(run)
