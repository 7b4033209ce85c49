"""Sparse matrices from files: what SciPy writes, and what strangers may write."""

import gzip
import io
import pickle

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from numpy.testing import assert_array_equal

import occore
from occore import DataError, is_sparse
from occore_least_squares.datasets.matrix_market import MatrixMarket
from occore_least_squares.datasets.sparse_npz import SparseNpz


@pytest.fixture
def A(rng):
    return scipy.sparse.random_array((40, 30), density=0.1, rng=rng, format="csr")


def test_what_scipy_saves(A, tmp_path, load):
    scipy.sparse.save_npz(tmp_path / "A.npz", A)
    data = load(SparseNpz("A.npz"))
    assert is_sparse(data.inputs)
    assert data.targets is None
    assert_array_equal(data.inputs.toarray(), A.toarray())


@pytest.mark.parametrize("name", ["A.mtx", "A.mtx.gz"])
def test_what_scipy_writes_as_matrix_market(name, A, tmp_path, load, rng):
    b = rng.standard_normal((40, 2))
    content = io.BytesIO()
    scipy.io.mmwrite(content, A, precision=17)
    text = content.getvalue()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    scipy.io.mmwrite(tmp_path / "b.mtx", b, precision=17)
    data = load(MatrixMarket(name, "b.mtx"))
    assert_array_equal(data.inputs.toarray(), A.toarray())
    assert_array_equal(data.targets, b)


def test_a_symmetric_matrix_is_whole(tmp_path, load):
    (tmp_path / "S.mtx").write_text(
        "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 3\n2 1 5\n"
    )
    assert_array_equal(load(MatrixMarket("S.mtx")).inputs.toarray(), [[3, 5], [5, 0]])


HOSTILE = {
    "no banner": ("hello\n", "no sound"),
    "empty": ("", "no sound"),
    "terabytes of rows": ("{coo}999999999999 1 1\n1 1 1\n", "declares the shape"),
    "more entries than text": ("{coo}10 10 90\n1 1 1\n", "cannot hold"),
    "an index beyond the end": ("{coo}2 2 1\n3 1 1\n", "no sound"),
    "too few entries": ("{coo}2 2 3\n1 1 1\n1 2 1\n        ", "no sound"),
    "text for a number": ("{coo}2 2 1\n1 1 __import__('os')\n", "no sound"),
    "not a number": ("{coo}2 2 1\n1 1 nan\n", "not finite"),
    "complex": ("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 2\n", "complex"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_matrix_market_file(name, tmp_path, load):
    text, message = HOSTILE[name]
    banner = "%%MatrixMarket matrix coordinate real general\n"
    (tmp_path / "A.mtx").write_text(text.replace("{coo}", banner))
    with pytest.raises(DataError, match=message):
        load(MatrixMarket("A.mtx"))


def parts(A, **other):
    made = {"format": np.array(b"csr"), "shape": np.array(A.shape)}
    return made | {"data": A.data, "indices": A.indices, "indptr": A.indptr} | other


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"format": np.array(b"csc")}, "not 'csr'"),
        ({"format": np.array([b"csr"])}, "not 'csr'"),
        ({"shape": np.array([2**40, 30])}, "declares the shape"),
        ({"shape": np.array([40.0, 30.0])}, "whole numbers"),
        ({"shape": np.array([40, 3])}, "no sound CSR"),
        ({"shape": np.array([-40, 30])}, "declares the shape"),
        ({"indptr": np.arange(41)[::-1]}, "no sound CSR"),
        ({"indices": np.full(120, -1)}, "no sound CSR"),
        ({"data": np.full(120, np.inf)}, "not finite"),
        ({"data": np.array(["x"] * 120)}, "no sound CSR|has the type"),
        ({"b": np.zeros(7)}, "counts the samples"),
    ],
)
def test_a_hostile_npz_file(other, message, A, tmp_path, load):
    np.savez(tmp_path / "A.npz", **parts(A, **({"b": np.zeros(40)} | other)))
    with pytest.raises(DataError, match=message):
        load(SparseNpz("A.npz", targets="b"))


def test_nothing_is_unpickled(A, tmp_path, load):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("unpickled",)

    np.savez(tmp_path / "A.npz", **parts(A, format=np.array(Bomb(), object)))
    with pytest.raises(DataError, match="never unpickled"):
        load(SparseNpz("A.npz"))
    assert pickle.dumps(Bomb())  # it would have gone off


CASE = """
title = "A sparse system"
[data]
kind = "sparse_npz"
path = "A.npz"
targets = "b"
[[phase]]
name = "fit"
dynamics = { kind = "linear", width = 1 }
[objective]
kind = "least_squares"
[[objective.penalty]]
kind = "tikhonov"
weight = 0.1
[optimizer]
kind = "KIND"
tolerance = 1e-12
"""


@pytest.mark.parametrize("kind", ["lsqr", "lsmr", "cgls"])
def test_a_sparse_case_runs_to_the_solution_of_the_dense_one(kind, A, tmp_path, rng):
    b = rng.standard_normal(40)
    np.savez(tmp_path / "A.npz", **parts(A, b=b))
    (tmp_path / "case.toml").write_text(CASE.replace("KIND", kind))
    settings = ["optimizer.postconditioner=columns", "data.held_out=0.2"]
    run = occore.run(occore.load_case(tmp_path / "case.toml", settings=settings), tmp_path / "r.h5")
    assert run.status == "converged"
    assert all(row["verdict"] != "FAIL" for row in run.checks)
    problem = occore.load_case(tmp_path / "case.toml", settings=settings).build().problem
    full = np.hstack([problem.data.inputs.toarray(), np.ones((32, 1))])
    expected = np.linalg.solve(full.T @ full + 0.1 * np.eye(31), full.T @ problem.data.targets)
    np.testing.assert_allclose(run["controls/fit/W"][0], expected[:-1, 0], rtol=1e-8, atol=1e-10)


def test_what_needs_a_dense_matrix_says_so(A, tmp_path):
    np.savez(tmp_path / "A.npz", **parts(A, b=np.zeros(40)))
    text = CASE.replace("KIND", "qr").replace("tolerance = 1e-12", "")
    (tmp_path / "case.toml").write_text(text)
    with pytest.raises(occore.InputError, match="sparse matrix, which dense methods would fill in"):
        occore.load_case(tmp_path / "case.toml").build()
    with pytest.raises(occore.InputError, match="a shift would fill in"):
        occore.load_case(
            tmp_path / "case.toml", settings=["data.standardize=true", "optimizer.kind=lsqr"]
        ).build()
