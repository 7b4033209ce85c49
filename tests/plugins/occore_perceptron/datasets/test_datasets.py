"""The problems of 1986 and the pictures of shapes are what their papers say."""

import numpy as np
import pytest

from occore_perceptron.datasets.encoder import Encoder
from occore_perceptron.datasets.family_trees import ENGLISH, ITALIAN, RELATIONS, FamilyTrees
from occore_perceptron.datasets.negation import Negation
from occore_perceptron.datasets.parity import Parity
from occore_perceptron.datasets.shapeset import CLASSES, NAMES, Shapeset
from occore_perceptron.datasets.symmetry import Symmetry
from occore_perceptron.datasets.tc import TC
from occore_perceptron.datasets.xor import XOR


def load(dataset):
    return dataset.load((), np.random.default_rng(0))


def test_xor_is_a_table_of_four_rows():
    data = load(XOR())
    assert data.inputs.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.targets.tolist() == [[0], [1], [1], [0]]


def test_parity_changes_with_every_bit():
    data = load(Parity(bits=5))
    answer = {tuple(x): t for x, (t,) in zip(data.inputs, data.targets, strict=True)}
    assert answer[(0,) * 5] == 0
    for x in answer:
        for k in range(5):
            neighbour = (*x[:k], 1 - x[k], *x[k + 1 :])
            assert answer[neighbour] == 1 - answer[x]


def test_eight_of_64_vectors_are_symmetric():
    data = load(Symmetry())
    assert len({tuple(x) for x in data.inputs}) == 64
    for x, (t,) in zip(data.inputs, data.targets, strict=True):
        assert t == (list(x) == list(x)[::-1])
    assert data.targets.sum() == 8
    assert data.record()["patterns"] is data.inputs


def test_an_encoder_gives_back_unit_vectors():
    data = load(Encoder(size=4))
    assert np.array_equal(data.inputs, np.eye(4))
    assert np.array_equal(data.targets, np.eye(4))


def test_negation_flips_the_bits_where_the_last_one_says_so():
    data = load(Negation())
    for x, t in zip(data.inputs, data.targets, strict=True):
        assert np.array_equal(t, 1 - x[:3] if x[3] else x[:3])


def test_t_and_c_have_five_squares_each_and_no_picture_twice():
    data = load(TC(side=4))
    assert set(data.inputs.sum(axis=1)) == {5}
    assert len({tuple(x) for x in data.inputs}) == len(data.inputs)
    assert (data.targets == 0).sum() == 4 * 2 * 2  # four orientations at 2 · 2 places
    assert (data.targets == 1).sum() == 4 * 2 * 3
    assert data.inputs[0].reshape(data.picture)[:3, :3].tolist() == [
        [1, 1, 1],
        [0, 1, 0],
        [0, 1, 0],
    ]


@pytest.fixture(scope="module")
def answers():
    data = load(FamilyTrees())
    people, found = data.features[:24], {}
    for x, t in zip(data.inputs, data.targets, strict=True):
        person, relation = np.flatnonzero(x)
        names = {people[k] for k in np.flatnonzero(t)}
        found[people[person], data.features[relation]] = names
    return found


def test_they_are_104_in_two_isomorphic_halves(answers):
    assert len(answers) == 104
    translation = dict(zip(ENGLISH, ITALIAN, strict=True))
    english = {key: names for key, names in answers.items() if key[0] in ENGLISH}
    italian = {
        (translation[person], relation): {translation[name] for name in names}
        for (person, relation), names in english.items()
    }
    assert len(english) == 52
    assert answers == english | italian


@pytest.mark.parametrize(
    ("person", "relation", "names"),
    [
        ("Colin", "aunt", {"Jennifer", "Margaret"}),  # the example of the paper's figure 3
        ("Colin", "uncle", {"Arthur", "Charles"}),
        ("Charlotte", "brother", {"Colin"}),
        ("Arthur", "niece", {"Charlotte"}),
        ("Margaret", "nephew", {"Colin"}),
        ("James", "wife", {"Victoria"}),
        ("Christine", "son", {"James"}),
        ("Jennifer", "father", {"Andrew"}),
        ("Sophia", "mother", {"Lucia"}),
    ],
)
def test_who_is_who(answers, person, relation, names):
    assert answers[person, relation] == names


def test_relations_without_anyone_are_left_out(answers):
    assert ("Christopher", "father") not in answers
    assert ("Margaret", "son") not in answers


@pytest.mark.parametrize(
    ("relations", "converses"),
    [
        (("husband",), ("wife",)),
        (("father", "mother"), ("son", "daughter")),
        (("brother", "sister"), ("brother", "sister")),
        (("uncle", "aunt"), ("nephew", "niece")),
    ],
)
def test_converses(answers, relations, converses):
    """Whoever has someone for an uncle or aunt is their nephew or niece, and the like."""

    def pairs(names):
        return {
            (who, whom) for (who, name), each in answers.items() if name in names for whom in each
        }

    assert {(whom, who) for who, whom in pairs(relations)} == pairs(converses)


def test_every_relation_occurs(answers):
    assert {relation for _, relation in answers} == set(RELATIONS)


@pytest.fixture(scope="module")
def pictures():
    return load(Shapeset(samples=400, side=24))


def test_nine_classes_about_equally_often(pictures):
    assert len(set(CLASSES)) == len(pictures.classes) == 9
    counts = pictures.targets.sum(axis=0)
    assert counts.sum() == 400
    assert 25 < counts.min() <= counts.max() < 70  # 44 ± 6


def test_as_many_grey_values_as_shapes(pictures):
    for picture, target in zip(pictures.inputs, pictures.targets, strict=True):
        shades = np.unique(picture[picture > 0])
        assert len(shades) == (1 if np.argmax(target) < len(NAMES) else 2)
        assert shades.max() <= 1
        assert np.ptp(shades) >= 0.25 - 1e-12 or len(shades) == 1


def test_a_second_shape_hides_at_most_half_of_the_first(pictures):
    pairs = pictures.targets[:, len(NAMES) :].any(axis=1)
    for picture in pictures.inputs[pairs]:
        _, sizes = np.unique(picture[picture > 0], return_counts=True)
        assert sizes.min() >= 0.05 * 0.35**2 * 24**2  # half of the smallest ellipse is more
