"""Products with sparse samples: fast and generic agree, and threads do not change a bit."""

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

from occore import threads
from occore.kernels import row_products
from occore.kernels.row_products import matrix_product, transposed_product

pytest.importorskip("numba")


@pytest.fixture
def compiled(monkeypatch):
    """The fast version also for small matrices."""
    monkeypatch.setattr(row_products, "FEWEST_ENTRIES", 0)


def sparse(rng, shape=(101, 40), dtype=np.float64):
    return scipy.sparse.random_array(shape, density=0.2, rng=rng, format="csr", dtype=dtype)


@pytest.mark.parametrize("outputs", [1, 16])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_fast_and_generic_agree(compiled, rng, outputs, dtype, rtol):
    x = sparse(rng, dtype=dtype)
    M = rng.standard_normal((40, outputs)).astype(dtype)
    p = rng.standard_normal((101, outputs)).astype(dtype)
    assert row_products._is_fast(x, outputs, M)
    for found, expected in (
        (matrix_product(x, M), x.toarray() @ M),
        (matrix_product(x, np.asfortranarray(M)), x.toarray() @ M),
        (transposed_product(p, x), p.T @ x.toarray()),
    ):
        assert found.dtype == dtype
        assert_allclose(found, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("shape", [(1, 5), (3, 2), (50, 1), (200, 3)])
def test_few_rows_and_rows_without_entries(compiled, rng, shape):
    x = sparse(rng, shape)
    x.data[:] = 1.0
    M, p = rng.standard_normal((shape[1], 2)), rng.standard_normal((shape[0], 2))
    assert_allclose(matrix_product(x, M), x.toarray() @ M, atol=1e-13)
    assert_allclose(transposed_product(p, x), p.T @ x.toarray(), atol=1e-13)


def test_the_number_of_threads_changes_nothing(compiled, rng, monkeypatch):
    x, p = sparse(rng, (5000, 40)), rng.standard_normal((5000, 10))
    bits = set()
    for count in (1, 2, 7):
        monkeypatch.setattr(threads, "cores", lambda count=count: count)
        bits |= {transposed_product(p, x).tobytes() for _ in range(5)}
    assert len(bits) == 1


@pytest.mark.parametrize(
    "x", [np.eye(3), scipy.sparse.csc_array(np.eye(3)), scipy.sparse.csr_array(np.eye(3))]
)
def test_other_matrices_go_the_general_way(x):
    M = np.arange(6.0).reshape(3, 2)
    assert np.array_equal(matrix_product(x, M), M)
    assert np.array_equal(transposed_product(M, x), M.T)
