"""Entropies of the course, and what is no distribution."""

import math

import numpy as np
import pytest

from occore import InputError
from occore_classification.entropy import cross_entropy, entropy

BOB = np.array([1 / 2, 1 / 4, 1 / 8, 1 / 8])
ALICE = np.array([1 / 8, 1 / 2, 1 / 4, 1 / 8])


def test_bobs_words_take_1_75_bits():
    assert entropy(BOB) == 1.75


def test_alice_in_bobs_code_takes_2_25_bits():
    assert cross_entropy(ALICE, BOB) == 2.25
    lengths = np.array([1, 2, 3, 3])
    assert ALICE @ lengths == 2.25


def test_no_code_is_shorter_than_the_entropy():
    assert entropy(ALICE) == 1.75 < cross_entropy(ALICE, BOB)


def test_certain_and_impossible_symbols():
    assert entropy([1.0, 0.0]) == 0.0
    assert cross_entropy([0.5, 0.5], [1.0, 0.0]) == math.inf
    assert cross_entropy([1.0, 0.0], [0.5, 0.5]) == 1.0


@pytest.mark.parametrize("p", [[0.5, 0.6], [-0.5, 1.5], [[0.5, 0.5]], [math.nan, 1.0]])
def test_what_is_no_distribution_is_refused(p):
    with pytest.raises(InputError, match="add up to one"):
        entropy(p)


def test_distributions_over_other_symbols_are_refused():
    with pytest.raises(InputError, match="2 and over 4"):
        cross_entropy([0.5, 0.5], BOB)
