"""The convolution operator: matrices written out, three realisations, transposes, the inverse."""

import itertools

import numpy as np
import pytest

from occore import ComputationError, InputError
from occore_convolution.operator import ConvolutionOperator
from occore_convolution.realisations import gemm

BOUNDARIES = ("zero", "periodic", "reflecting", "none")
SIZES = (
    ((7,), (3,)),
    ((6,), (2,)),
    ((3,), (5,)),
    ((6, 5), (3, 3)),
    ((5, 6), (2, 4)),
    ((4, 3), (1, 1)),
)


def operators(grid, stencil, channels_in, channels_out, boundary, stride, dilation):
    """The operator in each realisation that goes with the boundary, gemm first."""
    for realisation in ("gemm", "fft", "sparse"):
        if realisation != "fft" or boundary == "periodic":
            yield ConvolutionOperator(
                grid, stencil, channels_in, channels_out, boundary, stride, dilation, realisation
            )


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("grid", "stencil"), SIZES, ids=str)
def test_realisations_agree_and_their_adjoints_are_transposes(grid, stencil, boundary, rng):
    for stride, dilation, c, d in itertools.product((1, 2, 3), (1, 2), (1, 3), (1, 2)):
        if boundary == "none" and any(
            (k - 1) * dilation >= n for n, k in zip(grid, stencil, strict=True)
        ):
            continue
        numbers = None
        for operator in operators(grid, stencil, c, d, boundary, stride, dilation):
            if numbers is None:
                x, K, p = (
                    rng.standard_normal(shape)
                    for shape in (
                        (3, *operator.input_shape),
                        operator.stencil_shape,
                        (3, *operator.output_shape),
                    )
                )
            found = (
                operator.forward(x, K),
                operator.adjoint(p, K),
                operator.stencil_gradient(x, p),
            )
            products = [np.sum(a * b) for a, b in zip(found, (p, x, K), strict=True)]
            size = np.sum(np.abs(p * found[0]))
            assert np.ptp(products) <= 1e-13 * size
            numbers = found if numbers is None else numbers
            for ours, first in zip(found, numbers, strict=True):
                assert ours.shape == first.shape
                assert np.max(np.abs(ours - first)) <= 1e-12 * np.max(np.abs(first))


def test_toeplitz_and_circulant_matrices():
    # K = (a, b, c) read as a correlation: row i has a before, b on, c behind the diagonal
    K = np.array([2.0, 3.0, 5.0]).reshape(3, 1, 1)
    toeplitz = [[3, 5, 0, 0], [2, 3, 5, 0], [0, 2, 3, 5], [0, 0, 2, 3]]
    circulant = [[3, 5, 0, 2], [2, 3, 5, 0], [0, 2, 3, 5], [5, 0, 2, 3]]
    mirrored = [[5, 5, 0, 0], [2, 3, 5, 0], [0, 2, 3, 5], [0, 0, 2, 8]]
    inside = [[2, 3, 5, 0], [0, 2, 3, 5]]
    for boundary, expected in zip(BOUNDARIES, (toeplitz, circulant, mirrored, inside), strict=True):
        matrix = ConvolutionOperator((4,), (3,), 1, 1, boundary).matrix(K).toarray()
        np.testing.assert_array_equal(matrix, expected)


def test_printed_bccb_matrix():
    # COURSE.md, topic 5: the 3 × 3 periodic kernel k_1 … k_9, row by row, on a 3 × 3 grid
    K = np.arange(1.0, 10.0).reshape(3, 3, 1, 1)
    printed = [
        [5, 6, 4, 8, 9, 7, 2, 3, 1],
        [4, 5, 6, 7, 8, 9, 1, 2, 3],
        [6, 4, 5, 9, 7, 8, 3, 1, 2],
        [2, 3, 1, 5, 6, 4, 8, 9, 7],
        [1, 2, 3, 4, 5, 6, 7, 8, 9],
        [3, 1, 2, 6, 4, 5, 9, 7, 8],
        [8, 9, 7, 2, 3, 1, 5, 6, 4],
        [7, 8, 9, 1, 2, 3, 4, 5, 6],
        [9, 7, 8, 3, 1, 2, 6, 4, 5],
    ]
    operator = ConvolutionOperator((3, 3), (3, 3), 1, 1, "periodic")
    np.testing.assert_array_equal(operator.matrix(K).toarray(), printed)
    one_by_one = [operator.forward(e.reshape(1, 3, 3, 1), K).ravel() for e in np.eye(9)]
    np.testing.assert_array_equal(np.transpose(one_by_one), printed)


def test_bccb_eigenvalues_are_those_that_sympy_derives():
    import sympy

    k = sympy.symbols("k1:10")
    w = sympy.Rational(-1, 2) + sympy.sqrt(3) / 2 * sympy.I  # e^{2πi/3}
    matrix = sympy.Matrix(9, 9, lambda i, j: k[_tap(i, j)])
    vectors = sympy.Matrix(9, 9, lambda i, j: w ** ((i // 3) * (j // 3) + (i % 3) * (j % 3)))
    diagonal = (vectors.conjugate().T * matrix * vectors / 9).expand().applyfunc(sympy.nsimplify)
    assert diagonal.is_diagonal()
    numbers = dict(zip(k, range(1, 10), strict=True))
    exact = np.array([complex(diagonal[i, i].subs(numbers)) for i in range(9)]).reshape(3, 3)
    operator = ConvolutionOperator((3, 3), (3, 3), 1, 1, "periodic")
    found = operator.eigenvalues(np.arange(1.0, 10.0).reshape(3, 3, 1, 1))
    np.testing.assert_allclose(found[..., 0], exact, atol=1e-13)


def _tap(i, j):
    """The tap with which cell i of a periodic 3 × 3 grid reads cell j."""
    rows, columns = (j // 3 - i // 3 + 1) % 3, (j % 3 - i % 3 + 1) % 3
    return 3 * rows + columns


def test_a_correlation_is_the_convolution_with_the_flipped_stencil(rng):
    x, K = rng.standard_normal(6), rng.standard_normal(3)
    operator = ConvolutionOperator((6,), (3,), 1, 1)
    y = operator.forward(x.reshape(1, 6, 1), K[::-1].reshape(3, 1, 1))
    np.testing.assert_allclose(y.ravel(), np.convolve(x, K, mode="same"), rtol=1e-14)


@pytest.mark.parametrize("boundary", ["zero", "periodic"])
def test_the_adjoint_is_the_convolution_with_the_flipped_stencil(boundary, rng):
    operator = ConvolutionOperator((5, 4), (3, 3), 2, 3, boundary)
    back = ConvolutionOperator((5, 4), (3, 3), 3, 2, boundary)
    K, p = rng.standard_normal((3, 3, 2, 3)), rng.standard_normal((2, 5, 4, 3))
    flipped = K[::-1, ::-1].swapaxes(2, 3)
    np.testing.assert_allclose(operator.adjoint(p, K), back.forward(p, flipped), rtol=1e-12)


def test_picture_of_lecun_shrinks_from_28_to_24():
    assert ConvolutionOperator((28, 28), (5, 5), 1, 4, "none").output_grid == (24, 24)


def test_multichannel_eigenvalues_and_inverse(rng):
    operator = ConvolutionOperator((4, 5), (3, 3), 2, 2, "periodic")
    K, x = rng.standard_normal((3, 3, 2, 2)), rng.standard_normal((3, 4, 5, 2))
    of_matrix = np.linalg.eigvals(operator.matrix(K).toarray())
    found = operator.eigenvalues(K).ravel()
    distance = np.abs(of_matrix[:, None] - found)
    assert max(distance.min(axis=0).max(), distance.min(axis=1).max()) < 1e-12
    np.testing.assert_allclose(operator.inverse(operator.forward(x, K), K), x, atol=1e-12)


def test_no_inverse_of_a_laplacian():
    operator = ConvolutionOperator((8,), (3,), 1, 1, "periodic")
    K = np.array([-1.0, 2.0, -1.0]).reshape(3, 1, 1)
    with pytest.raises(ComputationError, match=r"singular: at the frequency \(0,\)"):
        operator.inverse(np.ones((1, 8, 1)), K)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stencil": (3,)}, "one number of taps for each axis"),
        ({"realisation": "fft"}, 'boundary = "periodic"'),
        ({"boundary": "none", "stencil": (3, 9)}, "reach over 9 cells, more than the 8"),
    ],
)
def test_sizes_that_do_not_fit(options, message):
    with pytest.raises(InputError, match=message):
        ConvolutionOperator(
            **{"grid": (8, 8), "stencil": (3, 3), "channels_in": 1} | options, channels_out=1
        )


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        (ConvolutionOperator((4,), (3,), 1, 1), "'zero' and the stride 1"),
        (ConvolutionOperator((4,), (3,), 1, 1, "periodic", 2), "'periodic' and the stride 2"),
        (ConvolutionOperator((4,), (3,), 1, 2, "periodic"), "1 become 2"),
    ],
    ids=str,
)
def test_eigenvalues_are_of_square_circulant_matrices(operator, message):
    with pytest.raises(InputError, match=message):
        operator.eigenvalues(np.ones(operator.stencil_shape))


def test_blocks_of_samples_change_nothing(rng, monkeypatch):
    operator = ConvolutionOperator((5, 4), (3, 3), 2, 3)
    x, p = rng.standard_normal((7, 5, 4, 2)), rng.standard_normal((7, 5, 4, 3))
    K = rng.standard_normal((3, 3, 2, 3))

    def products():
        return operator.forward(x, K), operator.adjoint(p, K), operator.stencil_gradient(x, p)

    at_once = products()
    monkeypatch.setattr(gemm, "MOST_ENTRIES", 2 * 20 * 9 * 2)
    for found, expected in zip(products(), at_once, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
