"""Family trees: who is what to whom in two isomorphic families of three generations.

    Christopher = Penelope          Andrew = Christine
          ┌──────┴─────┐             ┌──────┴──────┐
    Margaret = Arthur  Victoria = James     Jennifer = Charles
                          ┌──┴────┐
                       Colin   Charlotte

and the same with Italian names. A sample is a person and a relation, both as units, such as Colin
and aunt; the target is all the persons that stand in it, Jennifer and Margaret. In each family 52
pairs have an answer, 104 in all, where uncles and aunts by marriage count. They follow by rule from
parents and couples, so that the network can find what the persons are like: generation, branch and
nationality. Rumelhart, Hinton and Williams, Nature 323 (1986), 533–536, figures 2 to 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from occore import Data, Dataset, Example
from occore_perceptron.datasets.patterns import patterns

ENGLISH = (
    "Christopher Andrew Arthur James Charles Colin "
    "Penelope Christine Victoria Jennifer Margaret Charlotte"
).split()
ITALIAN = (
    "Roberto Pierro Emilio Marco Tomaso Alfonso Maria Francesca Lucia Angela Gina Sophia"
).split()
"""Six men, then six women; a person has the same place in both."""

COUPLES = ((0, 6), (1, 7), (2, 10), (3, 8), (4, 9))
"""Husband and wife, by their places in the list."""
CHILDREN = {(0, 6): (2, 8), (1, 7): (3, 9), (3, 8): (5, 11)}

Place = int
Kin = set[Place]


def parents(person: Place) -> Kin:
    """Father and mother, where they are in the tree."""
    return {p for couple, children in CHILDREN.items() if person in children for p in couple}


def children(person: Place) -> Kin:
    """Sons and daughters."""
    return {c for couple, each in CHILDREN.items() if person in couple for c in each}


def spouse(person: Place) -> Kin:
    """Husband or wife."""
    return {p for couple in COUPLES if person in couple for p in couple} - {person}


def siblings(person: Place) -> Kin:
    """Brothers and sisters."""
    return _of(children, parents(person)) - {person}


def parents_siblings(person: Place) -> Kin:
    """Brothers and sisters of the parents, and whom they married."""
    by_blood = _of(siblings, parents(person))
    return by_blood | _of(spouse, by_blood)


def siblings_children(person: Place) -> Kin:
    """The converse: children of brothers and sisters, also of those of husband or wife."""
    return _of(children, siblings(person) | _of(siblings, spouse(person)))


def _of(relation: Callable[[Place], Kin], persons: Kin) -> Kin:
    return set().union(*(relation(person) for person in persons))


MEN, WOMEN = set(range(6)), set(range(6, 12))
RELATIONS: dict[str, tuple[Callable[[Place], Kin], Kin]] = {
    "father": (parents, MEN),
    "mother": (parents, WOMEN),
    "husband": (spouse, MEN),
    "wife": (spouse, WOMEN),
    "son": (children, MEN),
    "daughter": (children, WOMEN),
    "uncle": (parents_siblings, MEN),
    "aunt": (parents_siblings, WOMEN),
    "brother": (siblings, MEN),
    "sister": (siblings, WOMEN),
    "nephew": (siblings_children, MEN),
    "niece": (siblings_children, WOMEN),
}
"""By name: a relation, and of whom of those that stand in it."""


@dataclass(frozen=True)
class FamilyTrees(Dataset):
    """Inputs (104, 24 + 12), a person and a relation; targets (104, 24), the persons asked for."""

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All pairs with an answer; nothing is random."""
        inputs, targets = [], []
        for family in range(2):
            for person in range(12):
                for place, (relation, sex) in enumerate(RELATIONS.values()):
                    answer = [12 * family + p for p in relation(person) & sex]
                    if answer:
                        units = np.zeros(36)
                        units[[12 * family + person, 24 + place]] = 1
                        inputs.append(units)
                        targets.append(np.isin(np.arange(24), answer))
        return patterns(np.array(inputs), np.array(targets), [*ENGLISH, *ITALIAN, *RELATIONS])

    @classmethod
    def example(cls) -> Example:
        """104 pairs of 24 persons and 12 relations."""
        return Example(cls(), value=(104, 36))
