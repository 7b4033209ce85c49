"""Grouped and linked layers are dense layers with zeros, or with equal blocks, in their matrix."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import InputError
from occore_perceptron.grouped_dense import GroupedDense
from occore_perceptron.linked_dense import LinkedDense
from occore_single_layer.dense import Dense


def test_a_grouped_layer_is_a_block_diagonal_one(rng):
    grouped, whole = GroupedDense((5,), (2, 3), (1, 4)), Dense((5,), 5)
    u = {name: rng.standard_normal(shape) for name, shape in grouped.controls.shapes.items()}
    K = np.zeros((5, 5))
    K[:1, :2], K[1:, 2:] = u["K1"], u["K2"]
    x, py = rng.standard_normal((7, 5)), rng.standard_normal((7, 5))
    y, part = grouped.linearize(0.0, x, u)
    same, other = whole.linearize(0.0, x, {"K": K, "b": np.concatenate([u["b1"], u["b2"]])})
    assert_allclose(y, same, rtol=1e-13)
    (px, pu), (qx, qu) = part.vjp(py), other.vjp(py)
    assert_allclose(px, qx, rtol=1e-12, atol=1e-14)
    assert_allclose(pu["K1"], qu["K"][:1, :2], rtol=1e-12, atol=1e-14)
    assert_allclose(pu["K2"], qu["K"][1:, 2:], rtol=1e-12, atol=1e-14)


def test_a_linked_layer_adds_up_the_adjoint_over_its_groups(rng):
    linked, whole = LinkedDense((6,), 3, 2), Dense((6,), 6)
    u = {name: rng.standard_normal(shape) for name, shape in linked.controls.shapes.items()}
    x, py = rng.standard_normal((7, 6)), rng.standard_normal((7, 6))
    y, part = linked.linearize(0.0, x, u)
    tied = {"K": np.kron(np.eye(3), u["K"]), "b": np.tile(u["b"], 3)}
    same, other = whole.linearize(0.0, x, tied)
    assert_allclose(y, same, rtol=1e-13)
    (px, pu), (qx, qu) = part.vjp(py), other.vjp(py)
    blocks = [qu["K"][2 * k : 2 * k + 2, 2 * k : 2 * k + 2] for k in range(3)]
    assert_allclose(px, qx, rtol=1e-12, atol=1e-14)
    assert_allclose(pu["K"], sum(blocks), rtol=1e-12)
    assert_allclose(pu["b"], qu["b"].reshape(3, 2).sum(axis=0), rtol=1e-12)


def test_weights_and_biases_start_between_the_bounds_that_are_given(rng):
    options = dict(initialisation="uniform", scale=0.3, random_bias=True)
    for layer in (
        Dense((40,), 50, **options),
        GroupedDense((40,), (10, 30), (50, 5), **options),
        LinkedDense((40,), 4, 50, **options),
    ):
        for value in layer.initial_controls(rng).values():
            assert 0.2 < np.abs(value).max() <= 0.3 or value.size < 10
            assert value.any()
    assert not Dense((40,), 50).initial_controls(rng)["b"].any()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: GroupedDense((5,), (2, 2), (1, 1)), "2 \\+ 2 = 4 features"),
        (lambda: GroupedDense((5,), (2, 3), (1,)), "2 groups have 1 widths"),
        (lambda: LinkedDense((5,), 2, 1), "not 2 groups"),
        (lambda: LinkedDense((2, 2), 2, 1), "not 2 groups"),
    ],
)
def test_groups_that_do_not_fit_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()
