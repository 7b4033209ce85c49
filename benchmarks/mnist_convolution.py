"""Time to 97 % on 2,000 held-out pictures of MNIST-10k: occore and PyTorch, one network, Adam.

    conv 5 × 5, 1 → 8, ReLU; average pooling; conv 5 × 5, 8 → 16, ReLU; average pooling; linear

Both have the start, the split and, epoch by epoch, the order of the pictures in common, and first
give the same loss and the same gradient at one θ. Each has its own best of the same settings:
batch, learning rate, and whether it stays or falls along a cosine over two epochs (one row has
PyTorch with a constant rate). With these, both run in turn some times more. The clock runs over
updates alone: errors are counted between epochs.
"""

from __future__ import annotations

import importlib
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

import occore
from benchmarks.harness import Row, installed
from occore.arrays import Array

CASE = Path("cases/05_convolution/mnist.toml")
TARGET = 0.03
REPEATS = 5


class Setting(NamedTuple):
    """Of Adam. A cosine falls to zero over all epochs."""

    batch: int
    rate: float
    schedule: Literal["constant", "cosine"]
    epochs: int

    def __str__(self) -> str:
        return f"batch {self.batch}, rate {self.rate} {self.schedule}"


PLANS: tuple[tuple[Literal["constant", "cosine"], int], ...] = (("constant", 8), ("cosine", 2))
SETTINGS = tuple(
    Setting(batch, rate, *plan)
    for batch in (32, 64, 128)
    for rate in (0.01, 0.02)
    for plan in PLANS
)

Epochs = Callable[[Setting], Iterator[tuple[float, float]]]
"""From a setting to (seconds of updates so far, held-out error rate) after each epoch."""


def measure() -> tuple[list[Row], list[str]]:
    """The comparison, or what is missing for it."""
    if not installed("torch"):
        return [], ["PyTorch"]
    if "OCCORE_DATA" not in os.environ:
        return [], ["OCCORE_DATA, the folder that holds mnist/"]
    built = occore.load_case(CASE).build()
    peer = Peer(built)
    require_agreement(built, peer)
    rows, ours = [], fastest(lambda setting: own(built, setting), SETTINGS)
    for plans in (("constant",), ("constant", "cosine")):
        allowed = [setting for setting in SETTINGS if setting.schedule in plans]
        theirs = fastest(peer.epochs, allowed)
        times = np.array(
            [(seconds(own(built, ours)), seconds(peer.epochs(theirs))) for _ in range(REPEATS)]
        )
        low, middle, high = np.quantile(times[:, 0] / times[:, 1], [0.1, 0.5, 0.9])
        a, b = np.median(times, axis=0)
        work, names = f"MNIST-10k to 97 %: {ours}", f"PyTorch: {theirs}"
        text = "loss to 1e-6 and gradient to 1e-5 at the start"
        rows.append(Row(work, names, float(a), float(b), (low, middle, high), text))
    return rows, []


def fastest(epochs: Epochs, settings: Iterable[Setting]) -> Setting:
    """The setting that is at the target first."""
    return min(settings, key=lambda setting: seconds(epochs(setting)))


def seconds(epochs: Iterator[tuple[float, float]]) -> float:
    """To the target; infinite where it is not reached."""
    return next((time for time, error in epochs if error <= TARGET), np.inf)


def own(built: Any, setting: Setting) -> Iterator[tuple[float, float]]:
    """Adam of occore, an epoch an iteration."""
    problem, theta = built.problem, built.theta
    optimizer = replace(
        built.optimizer,
        batch=setting.batch,
        learning_rate=setting.rate,
        schedule=setting.schedule,
        max_iterations=setting.epochs,
    )
    optimizer.step(problem, theta, optimizer.init(problem, theta))  # loops are compiled here
    state, spent = optimizer.init(problem, theta), 0.0
    for _ in range(setting.epochs):
        begin = time.perf_counter()
        theta, state = optimizer.step(problem, theta, state)
        spent += time.perf_counter() - begin
        output = problem.output(theta, built.held_out.inputs)
        yield spent, _error(output, built.held_out.targets)


class Peer:
    """The same network in PyTorch, started at the same θ."""

    def __init__(self, built: Any) -> None:
        torch: Any = importlib.import_module("torch")
        torch.set_num_threads(os.cpu_count() or 1)
        self.torch, self.built = torch, built
        self.pictures = self._pictures(built.problem.data.inputs)
        self.classes = torch.from_numpy(np.argmax(built.problem.data.targets, axis=1))
        self.held_out = self._pictures(built.held_out.inputs)

    def _pictures(self, inputs: Array) -> Any:
        pictures = self.torch.from_numpy(np.ascontiguousarray(inputs.reshape(-1, 1, 28, 28)))
        return pictures.to(memory_format=self.torch.channels_last)

    def network(self) -> Any:
        """With the controls of the start; the linear layer reads channels last, as ours does."""
        torch, u = self.torch, self.built.problem.unflatten(self.built.theta)
        nn = torch.nn
        first, second = nn.Conv2d(1, 8, 5, padding=2), nn.Conv2d(8, 16, 5, padding=2)
        last = nn.Linear(784, 10)
        weights = u["classes"]["W"].reshape(10, 7, 7, 16).transpose(0, 3, 1, 2).reshape(10, -1)
        values = [
            (first.weight, u["first"]["K"].transpose(3, 2, 0, 1)),
            (first.bias, u["first"]["b"]),
            (second.weight, u["second"]["K"].transpose(3, 2, 0, 1)),
            (second.bias, u["second"]["b"]),
            (last.weight, weights),
            (last.bias, u["classes"]["b"]),
        ]
        with torch.no_grad():
            for parameter, value in values:
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(value)))
        relu, pool = nn.ReLU, nn.AvgPool2d
        layers = first, relu(), pool(2), second, relu(), pool(2), nn.Flatten(), last
        return nn.Sequential(*layers).to(memory_format=torch.channels_last)

    def gradient(self, indices: Array) -> tuple[float, dict[str, Array]]:
        """Loss and its gradient at the start on some of the pictures, as occore lays it out."""
        network = self.network()
        loss = self._loss(network, indices)
        loss.backward()
        K, b, L, c, W, d = (p.grad.numpy() for p in network.parameters())
        W = W.reshape(10, 16, 7, 7).transpose(0, 2, 3, 1).reshape(10, -1)
        return loss.item(), {
            "first/K": K.transpose(2, 3, 1, 0),
            "first/b": b,
            "second/K": L.transpose(2, 3, 1, 0),
            "second/b": c,
            "classes/W": W,
            "classes/b": d,
        }

    def epochs(self, setting: Setting) -> Iterator[tuple[float, float]]:
        """Adam of PyTorch, in the order of the pictures that occore has."""
        torch, network, spent = self.torch, self.network(), 0.0
        optimizer = torch.optim.Adam(network.parameters(), lr=setting.rate)
        samples, size = len(self.classes), setting.batch
        for epoch in range(setting.epochs):
            order = np.random.default_rng([self.built.optimizer.seed, epoch]).permutation(samples)
            begin = time.perf_counter()
            for start in range(0, samples, size):
                if setting.schedule == "cosine":
                    share = (epoch + start / samples) / setting.epochs
                    rate = setting.rate * (1 + math.cos(math.pi * share)) / 2
                    optimizer.param_groups[0]["lr"] = rate
                optimizer.zero_grad()
                self._loss(network, order[start : start + size]).backward()
                optimizer.step()
            spent += time.perf_counter() - begin
            with torch.no_grad():
                output = network(self.held_out).numpy()
            yield spent, _error(output, self.built.held_out.targets)

    def _loss(self, network: Any, indices: Array) -> Any:
        chosen = self.torch.from_numpy(indices)
        entropy = self.torch.nn.functional.cross_entropy
        return entropy(network(self.pictures[chosen]), self.classes[chosen])


def require_agreement(built: Any, peer: Peer) -> None:
    """Raise where loss or gradient of the two networks differ at the start."""
    indices = np.arange(128)
    value, gradient = built.problem.subset(indices).value_and_gradient(built.theta)
    loss, expected = peer.gradient(indices)
    np.testing.assert_allclose(value, loss, rtol=1e-6)
    for name, found in built.problem.layout.unflatten(gradient).items():
        error = np.linalg.norm(found - expected[name]) / np.linalg.norm(expected[name])
        if error > 1e-5:
            raise AssertionError(f"gradient of {name}: relative difference {error:.1e}")


def _error(output: Array, targets: Array) -> float:
    return float(np.mean(np.argmax(output, axis=1) != np.argmax(targets, axis=1)))
