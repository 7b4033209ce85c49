"""Data sets: bundled with scikit-learn, read from the user's files, and a model problem.

    kind                                              what it is
    diabetes                                          regression, bundled with scikit-learn
    digits, breast_cancer, wine, iris                 classification, bundled with scikit-learn
    csv, npz, hdf5, idx                               a file of the user's
    matrix_market, sparse_npz                         a sparse matrix of the user's
    photograph                                        pixels of a picture, bundled with scikit-learn
    gravity                                           an ill-posed integral equation
    ill_conditioned                                   3 equations, 2 unknowns, of chosen condition

Each kind is a class in the file of its name. `supervised` holds what they share about targets,
`content` what they share about files and digests.
"""

from typing import Any


def register(registry: Any) -> None:
    """Register every data set of this folder."""
    from occore_least_squares.datasets.breast_cancer import BreastCancer
    from occore_least_squares.datasets.csv import Csv
    from occore_least_squares.datasets.diabetes import Diabetes
    from occore_least_squares.datasets.digits import Digits
    from occore_least_squares.datasets.gravity import Gravity
    from occore_least_squares.datasets.hdf5 import Hdf5
    from occore_least_squares.datasets.idx import Idx
    from occore_least_squares.datasets.ill_conditioned import IllConditioned
    from occore_least_squares.datasets.iris import Iris
    from occore_least_squares.datasets.matrix_market import MatrixMarket
    from occore_least_squares.datasets.npz import Npz
    from occore_least_squares.datasets.photograph import Photograph
    from occore_least_squares.datasets.sparse_npz import SparseNpz
    from occore_least_squares.datasets.wine import Wine

    registry.dataset("breast_cancer", BreastCancer)
    registry.dataset("csv", Csv)
    registry.dataset("diabetes", Diabetes)
    registry.dataset("digits", Digits)
    registry.dataset("gravity", Gravity)
    registry.dataset("hdf5", Hdf5)
    registry.dataset("idx", Idx)
    registry.dataset("ill_conditioned", IllConditioned)
    registry.dataset("iris", Iris)
    registry.dataset("matrix_market", MatrixMarket)
    registry.dataset("npz", Npz)
    registry.dataset("photograph", Photograph)
    registry.dataset("sparse_npz", SparseNpz)
    registry.dataset("wine", Wine)
