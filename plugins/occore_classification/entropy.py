"""Entropy and cross-entropy of distributions, in bits: mean lengths of codes.

    H(p) = −Σ p log₂ p,    H(p, q) = −Σ p log₂ q

The best code for q gives a symbol of probability q_k a length of −log₂ q_k bits; H(p, q) is its
mean length for symbols that come with the probabilities p. Cover and Thomas, Elements of
Information Theory (2006), sections 2.1 and 5.4.
"""

from __future__ import annotations

import numpy as np

from occore import Array, InputError


def entropy(p: Array) -> float:
    """H(p) in bits, of a distribution p (symbols,). Raises InputError where p is none."""
    return cross_entropy(p, p)


def cross_entropy(p: Array, q: Array) -> float:
    """H(p, q) in bits, both (symbols,); infinite where q excludes what p has.

    Raises InputError where one of them is no distribution.
    """
    p, q = _distribution(p), _distribution(q)
    if p.shape != q.shape:
        raise InputError(f"distributions over {p.size} and over {q.size} symbols: name as many")
    used = p > 0  # 0 log 0 = 0
    with np.errstate(divide="ignore"):
        return float(-np.sum(p[used] * np.log2(q[used]))) + 0.0


def _distribution(p: Array) -> Array:
    p = np.asarray(p, float)
    if p.ndim != 1 or not np.all(p >= 0) or abs(np.sum(p) - 1) > 1e-12 * p.size:
        raise InputError(f"{p}: probabilities are ≥ 0, in one axis, and add up to one")
    return p
