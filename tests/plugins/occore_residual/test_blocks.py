"""Residual blocks: identities of the papers, shapes that change, and what they are made of."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from occore import Data, Example, InputError, Phase, Problem, composition
from occore.testing.dynamics_maps import at_time
from occore.testing.maps import MAP_CHECKS
from occore_classification.softmax_cross_entropy import SoftmaxCrossEntropy
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_convolution.batch_normalisation import BatchNormalisation
from occore_convolution.convolution import Convolution
from occore_least_squares.least_squares import LeastSquares
from occore_residual.convolution_block import ConvolutionBlock
from occore_residual.dense_block import DenseBlock
from occore_residual.resnet import cifar_resnet
from occore_residual.shortcut import PaddedShortcut


def drawn(field, rng):
    return {name: rng.standard_normal(shape) for name, shape in field.controls.shapes.items()}


BLOCKS = {
    "padded": DenseBlock((2,), width=4, shortcut="padded", layers=3, activation="tanh"),
    "projected": DenseBlock((3,), width=2, shortcut="projection", gate="exclusive", scale=0.7),
    "strided": ConvolutionBlock((5, 4, 2), channels=3, stride=2, shortcut="padded"),
    "projected pictures": ConvolutionBlock(
        (5, 4, 1), channels=2, stride=2, shortcut="projection", order="post", normalisation="batch"
    ),
    "gated": ConvolutionBlock((3, 3, 2), gate="shortcut", normalisation="tv", branch_scale=0.5),
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_derivatives_where_the_shape_changes(block, rng):
    """Every check of a map but the trace, which is of the small examples."""
    block = replace(block, epsilon=0.1)
    x, u = rng.standard_normal((5, *block.state_shape)), drawn(block, rng)
    target = at_time(Example(block, x=x, u=u), 0.0)
    for check in MAP_CHECKS:
        check(target, rng)


def test_option_a_thins_out_and_adds_zeros():
    shortcut = PaddedShortcut((3, 1), channels=2, stride=2)
    y, part = shortcut.linearize(0.0, np.array([[[1.0], [2.0], [3.0]]]), {})
    assert_array_equal(y, [[[1, 0], [3, 0]]])
    px, _ = part.vjp(np.array([[[5.0, 7.0], [6.0, 8.0]]]))
    assert_array_equal(px, [[[5], [0], [6]]])


def test_telescoping(rng):
    """x_L = x_l + Σ F(x_i, u_i), identity mappings, equation 4; in another order of the sum."""
    block = DenseBlock((8,), initialisation="glorot")
    us = [block.initial_controls(rng) for _ in range(32)]
    states, terms = [rng.standard_normal((50, 8))], []
    for u in us:
        terms.append(block.branch(0.0, states[-1], u))
        states.append(block(0.0, states[-1], u))
    for start in (0, 5, 20):
        total = states[start] + np.sum(terms[start:][::-1], axis=0)
        largest = max(np.max(np.abs(term)) for term in [*terms, *states])
        assert np.max(np.abs(states[-1] - total)) <= 1e-14 * largest


def test_gradients_through_scaled_shortcuts(rng):
    """∂x_L/∂x_l = Π λ_i + what passes a branch, identity mappings, equation 7.

    Where the branches are scaled by δ, the rest is δ times its limit up to O(δ²).
    """
    scales = [0.9, 0.5, -1.2, 0.8, 1.1]

    def adjoint(branch_scale):
        x, parts = np.full((1, 3), 0.5), []
        draw = np.random.default_rng(3)
        for scale in scales:
            block = DenseBlock((3,), scale=scale, branch_scale=branch_scale, activation="tanh")
            x, part = block.linearize(0.0, x, block.initial_controls(draw))
            parts.append(part)
        return composition.vjp(parts, p)[0]

    p, product = rng.standard_normal((1, 3)), np.prod(scales)
    assert_allclose(adjoint(0.0), product * p, rtol=1e-14)
    rest = [adjoint(delta) - product * p for delta in (1e-3, 5e-4)]
    assert np.max(np.abs(rest[0])) > 1e-4
    assert_allclose(rest[0], 2 * rest[1], atol=1e-2 * np.max(np.abs(rest[0])))


def test_a_closed_exclusive_gate_is_an_identity(rng):
    block = DenseBlock((4,), gate="exclusive", gate_bias=-50.0)
    x = rng.standard_normal((3, 4))
    assert_allclose(block(0.0, x, block.initial_controls(rng)), x, rtol=1e-14)


def test_gates(rng):
    """y = (1 − g) x + F and (1 − g) x + g F, from the layers one by one."""
    x = rng.standard_normal((3, 4))
    for gate in ("shortcut", "exclusive"):
        block = DenseBlock((4,), gate=gate)
        u = drawn(block, rng)
        g = 1 / (1 + np.exp(-(x @ u["K_gate"].T + u["b_gate"])))
        hidden = np.maximum(x, 0) @ u["K1"].T + u["b1"]
        F = np.maximum(hidden, 0) @ u["K2"].T + u["b2"]
        expected = (1 - g) * x + (g * F if gate == "exclusive" else F)
        assert_allclose(block(0.0, x, u), expected, rtol=1e-12)


@pytest.mark.parametrize("order", ["pre", "post"])
def test_euler_steps_of_length_one_are_the_blocks(order, rng):
    field = DenseBlock((4,), order=order, increment=True, scale=0.8, gate="shortcut")
    phase = Phase("blocks", field, ForwardEuler(), 6, 6.0, space=PiecewiseConstant())
    u = phase.initial_controls(rng)
    x = y = rng.standard_normal((5, 4))
    block = replace(field, increment=False)
    for k in range(6):
        y = block(0.0, y, {name: value[k] for name, value in u.items()})
    assert_allclose(phase(x, u), y, rtol=1e-12)


def test_a_post_activation_block_is_the_paper_s(rng):
    """σ(x + N(conv(σ(N(conv x)))), from the registered layers."""
    block = ConvolutionBlock((4, 4, 2), order="post", normalisation="batch", bias=False)
    u, x = block.initial_controls(rng), rng.standard_normal((3, 4, 4, 2))
    convolution = Convolution((4, 4, 2), 2, activation="identity", bias=False)
    normal = BatchNormalisation((4, 4, 2))
    y = x
    for k in "12":
        y = convolution(0.0, y, {"K": u[f"K{k}"]})
        y = normal(0.0, y, {"scale": u[f"scale{k}"], "shift": u[f"shift{k}"]})
        y = np.maximum(y, 0) if k == "1" else y
    assert_allclose(block(0.0, x, u), np.maximum(x + y, 0), rtol=1e-12)


def counted(phases):
    return sum(phase.layout.size for phase in phases)


@pytest.mark.parametrize(("depth", "millions"), [(56, 0.85), (110, 1.7)])
def test_parameter_counts_of_the_paper(depth, millions):
    """He et al., table 6; option A has no parameters, so a plain network has as many."""
    count = counted(cifar_resnet(depth))
    assert count / 1e6 == pytest.approx(millions, rel=0.02)
    assert counted(cifar_resnet(depth, plain=True)) == count


def test_resnet_20_has_269722_parameters():
    assert counted(cifar_resnet(20)) == 269_722


@pytest.mark.parametrize("order", ["pre", "post"])
def test_a_small_resnet_has_right_derivatives(order, rng):
    phases = cifar_resnet(8, (8, 8, 1), 3, order=order)
    data = Data(rng.standard_normal((3, 8, 8, 1)), np.eye(3), ("a", "b", "c"))
    problem = Problem(phases, SoftmaxCrossEntropy(), data)
    theta = problem.initial_controls(rng)
    g, d = problem.value_and_gradient(theta)[1], rng.standard_normal(theta.size)
    d /= np.linalg.norm(d)  # few entries then cross a kink of relu
    quotients = [
        (problem.value(theta + step * d) - problem.value(theta - step * d)) / (2 * step)
        for step in (1e-5, 1e-6, 1e-7)
    ]
    assert min(abs(q - g @ d) for q in quotients) <= 1e-6 * abs(g @ d)


def test_held_out_samples_see_the_statistics_of_the_training_data(rng):
    block = DenseBlock((3,), normalisation="batch")
    phases = (Phase("block", block),)
    problem = Problem(phases, LeastSquares(), Data(rng.standard_normal((6, 3)), np.zeros((6, 3))))
    theta, other = problem.initial_controls(rng), rng.standard_normal((4, 3))
    together = problem.output(theta, other)
    alone = np.concatenate([problem.output(theta, other[k : k + 1]) for k in range(4)])
    assert_allclose(together, alone, rtol=1e-12)
    assert_allclose(problem.output(theta, problem.data.inputs[:2]), problem.output(theta)[:2])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": 3}, 'shortcut = "padded" or "projection"'),
        ({"width": 1, "shortcut": "padded"}, 'shortcut = "projection"'),
        ({"width": 3, "shortcut": "padded", "increment": True}, "states of one shape"),
        ({"shortcut": "none", "gate": "shortcut"}, "no shortcut to gate"),
        ({"normalisation": "instance"}, "pictures"),
    ],
)
def test_what_does_not_fit_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        DenseBlock((2,), **options)


def test_depths_that_no_number_of_blocks_has():
    with pytest.raises(InputError, match="multiple of 6"):
        cifar_resnet(21)
