"""Bias and variance of Tikhonov's method on the gravity problem, in closed form and by sampling.

    python docs/examples/bias_variance.py figure.png

draws E‖x_λ − x‖² = ‖bias‖² + tr cov against λ, with the mean of 400 draws of the noise as dots.
"""

import sys
from pathlib import Path

import numpy as np

from occore.plotting import save_figure
from occore_least_squares.bias_variance import bias_variance, sampled_errors
from occore_least_squares.datasets.gravity import Gravity


def main(path):
    """Print the best λ of each sort, and draw the curves."""
    from matplotlib.figure import Figure

    problem = Gravity(points=64, depth=0.25, noise=0.1)
    (A, x), L = problem.system(), np.eye(64)
    lambdas = np.geomspace(1e-4, 10, 41)
    exact = bias_variance(A, L, x, problem.noise, lambdas)
    draws = sampled_errors(A, L, x, problem.noise, lambdas, 400, np.random.default_rng(7))
    best = lambdas[np.argmin(exact.mean_square_error)]
    print(f"least mean square error {exact.mean_square_error.min():.3f} at λ = {best:.3g}")
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.loglog(lambdas, exact.squared_bias, label="‖bias‖²")
    axes.loglog(lambdas, exact.variance, label="tr cov")
    axes.loglog(lambdas, exact.mean_square_error, "k", label="their sum")
    axes.loglog(lambdas, draws.mean(axis=1), "k.", label="mean of 400 draws")
    axes.axvline(best, color="C3", linewidth=0.8)
    axes.set(xlabel="λ", ylabel="square error", title="Gravity: bias and variance")
    axes.legend(loc="upper center")
    save_figure(figure, path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
