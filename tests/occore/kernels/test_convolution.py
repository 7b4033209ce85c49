"""Convolutions in compiled loops: they agree with the generic ones, whatever the threads."""

import subprocess
import sys

import numpy as np
import pytest

from occore import threads
from occore.kernels import convolution, stencil_loops, stencil_source, tile, winograd
from occore_convolution.operator import ConvolutionOperator

pytest.importorskip("numba")

OPERATORS = (
    ConvolutionOperator((9,), (2,), 2, 3, "periodic", 2),
    ConvolutionOperator((5, 6), (3, 3), 1, 8),
    ConvolutionOperator((5, 17), (3, 2), 2, 3, "reflecting"),
    ConvolutionOperator((6, 5), (3, 4), 3, 1, "periodic", 1, 2),
    ConvolutionOperator((6, 7), (3, 3), 2, 3, "zero", 2, 3),
    ConvolutionOperator((7, 8), (1, 2), 2, 3, "none", 3),
    ConvolutionOperator((2, 3), (5, 5), 2, 3, "reflecting", 2),
)


def products(operator, rng, dtype=np.float64, samples=11):
    x, p = (
        rng.standard_normal((samples, *shape)).astype(dtype)
        for shape in (operator.input_shape, operator.output_shape)
    )
    K = rng.standard_normal(operator.stencil_shape).astype(dtype)
    return lambda: (operator.forward(x, K), operator.adjoint(p, K), operator.stencil_gradient(x, p))


def assert_agree(generic, fast, rtol):
    for expected, found in zip(generic, fast, strict=True):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert np.max(np.abs(found - expected)) <= rtol * np.max(np.abs(expected))


@pytest.mark.parametrize("operator", OPERATORS, ids=str)
def test_fast_and_generic_agree(operator, rng, monkeypatch):
    compute = products(operator, rng)
    generic = compute()  # too few products for the loops
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    assert_agree(generic, compute(), 1e-14)


@pytest.mark.parametrize(
    ("grid", "boundary"),
    [((4, 6), "zero"), ((2, 34), "periodic")],
)
def test_with_fewer_products(grid, boundary, rng, monkeypatch):
    """Winograd's algorithm takes 3 × 3 taps on even grids, with many channels."""
    compute = products(ConvolutionOperator(grid, (3, 3), 8, 16, boundary), rng)
    generic = compute()
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    saving = compute()
    assert_agree(generic, saving, 1e-14)
    monkeypatch.setattr(winograd, "FEWEST_PAIRS", 1000)
    assert any(not np.array_equal(a, b) for a, b in zip(saving, compute(), strict=True))


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize(
    "registers", [tile.Registers(64, 16, 28), tile.Registers(32, 12, 12)], ids=str
)
def test_both_sorts_of_registers(registers, even, rng, monkeypatch):
    for module in (convolution, stencil_loops, stencil_source):
        monkeypatch.setattr(module, "registers", lambda: registers)
    channels, columns = (8, 34) if even else (4, 15)
    compute = products(ConvolutionOperator((6, columns), (3, 3), channels, 20), rng, np.float32)
    generic = compute()
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    assert_agree(generic, compute(), 1e-6)


def test_the_number_of_threads_changes_nothing(rng, monkeypatch):
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    monkeypatch.setattr(convolution, "FEWEST_IN_SHARDS", 0)
    compute = products(ConvolutionOperator((5, 6), (3, 3), 1, 8), rng, samples=100)
    bits = set()
    for count in (1, 2, 7):
        monkeypatch.setattr(threads, "cores", lambda count=count: count)
        bits |= {tuple(a.tobytes() for a in compute()) for _ in range(3)}
    assert len(bits) == 1


def test_arrays_in_any_order_of_memory_and_no_samples(rng, monkeypatch):
    monkeypatch.setattr(convolution, "FEWEST_PRODUCTS", 0)
    operator = ConvolutionOperator((5, 6), (3, 3), 1, 8)
    x, K = rng.standard_normal((11, 5, 6, 1)), rng.standard_normal((3, 3, 1, 8))
    y = operator.forward(np.asfortranarray(x), np.asfortranarray(K))
    np.testing.assert_array_equal(y, operator.forward(x, K))
    assert operator.forward(x[:0], K).shape == (0, 5, 6, 8)
    np.testing.assert_array_equal(operator.stencil_gradient(x[:0], y[:0]), 0 * K)


def test_other_arrays_go_the_general_way():
    kernel = ConvolutionOperator((100, 100), (9, 9), 4, 4).kernel
    x, K = np.ones((1, 100, 100, 4)), np.ones((9, 9, 4, 4))
    assert kernel.applies(x, K)
    assert not kernel.applies(x.astype(np.float32), K)
    assert not kernel.applies(x.astype(complex), K.astype(complex))
    assert not kernel.applies(x[:0], K)
    assert not ConvolutionOperator((9,) * 3, (9,) * 3, 4, 4).kernel.applies(x, K)


def test_nobody_imports_numba_before_it_is_needed():
    program = (
        "import sys, occore_convolution.convolution, occore; occore.StencilKernel;"
        "sys.exit('numba' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
