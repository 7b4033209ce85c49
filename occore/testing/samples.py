"""Checks of maps that act on each sample alone: order and number of samples do not matter."""

from __future__ import annotations

import numpy as np

from occore.arrays import Array
from occore.testing.comparison import EXACT, agree, close, require
from occore.testing.points import Generator
from occore.testing.target import Drawn, Target, draw, products


def _of_samples(target: Target, at: Drawn, places: Array) -> dict[str, Array]:
    """Value and products where the samples are those at these places."""
    y, part = target.linearize(at.x[places], at.u)
    dx, du = at.d
    plain = target.value(at.x[places], at.u)
    return {"plain": plain, "value": y} | products(part, dx[places], du, at.py[places])


def _per_sample(name: str) -> bool:
    return name in ("plain", "value", "jvp", "vjp x", "curvature x", "control_jvp")


def permuted_samples(target: Target, rng: Generator) -> None:
    """Shuffled samples give shuffled results; adjoints of controls, which are sums, stay."""
    at = draw(target, rng, samples=4)
    whole = _of_samples(target, at, np.arange(4))
    order = np.array([2, 0, 3, 1])
    expected = {name: p[order] if _per_sample(name) else p for name, p in whole.items()}
    agree(f"{target.subject}: shuffled", _of_samples(target, at, order), expected, EXACT)


def one_by_one(target: Target, rng: Generator) -> None:
    """Three samples at once are three samples one by one; adjoints of controls add up."""
    at = draw(target, rng, samples=3)
    singles = [_of_samples(target, at, np.array([k])) for k in range(3)]
    expected = {
        name: np.concatenate([single[name] for single in singles])
        if _per_sample(name)
        else sum(single[name] for single in singles)
        for name in singles[0]
    }
    found = _of_samples(target, at, np.arange(3))
    agree(f"{target.subject}: samples one by one", found, expected, EXACT)


SAMPLE_CHECKS = (permuted_samples, one_by_one)
"""What every map must pass whose samples do not see each other."""


def coupled(target: Target, rng: Generator) -> None:
    """A sample among others is not what it is alone."""
    at = draw(target, rng, samples=3)
    alone = target.value(at.x[:1], at.u)
    same = np.linalg.norm(at.y[:1] - alone) <= EXACT * np.linalg.norm(at.y[:1])
    require(not same, f"{target.subject}: says that samples are coupled, but they are not")


def behind_the_first(whole: Target, first: Target, n: int, rng: Generator) -> None:
    """Coupled by the first n: these are as on their own, others as if each came alone behind."""
    at = draw(first, rng, samples=n + 2)
    subject = f"{first.subject}: coupled by the first {n} samples"
    close(f"{subject}, those", at.y[:n], whole.value(at.x[:n], at.u), EXACT)
    for k in (n, n + 1):
        alone = first.value(np.concatenate([at.x[:n], at.x[k : k + 1]]), at.u)
        close(f"{subject}, another", at.y[k : k + 1], alone[n:], EXACT)
