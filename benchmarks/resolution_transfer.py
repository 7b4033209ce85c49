"""Train on MNIST of 14 × 14 pixels, predict on 28 × 28: the errors after transfer of the controls.

    OCCORE_DATA=FOLDER python -m benchmarks.resolution_transfer       FOLDER holds mnist/

The coarse pictures are means of 2 × 2 pixels. Held-out pictures are classified on the coarse grid,
and on the fine one with the controls moved in each of the ways of `resolution_transfer`. Beside the
errors: how many pictures are put into another class than on the coarse grid.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import occore
from occore.case.building import Built
from occore_convolution.resolution_transfer import WAYS, transfer

CASE = "cases/05_convolution/resolution_transfer.toml"
FINE = (
    "data.side=28",
    "phase.heat.dynamics.mesh_size=1.0",
    "phase.heat.dynamics.parametrisation=stencil",
    "objective.penalty=[]",
    "phase.pooling.dynamics.window=4",
)


def classes(built: Built, problem: occore.Problem, theta: occore.Array) -> tuple[occore.Array, ...]:
    """Decisions for the held-out pictures, and their true classes."""
    held_out = built.held_out
    if held_out is None:
        raise occore.InputError(f"{CASE} holds no pictures out")
    decided = np.argmax(problem.output(theta, held_out.inputs), axis=1)
    return decided, occore.true_classes(held_out)


def main() -> None:
    """Train, transfer, print a table."""
    with tempfile.TemporaryDirectory() as folder:
        theta = np.asarray(occore.run(CASE, Path(folder) / "coarse.h5")["checkpoint/theta"])
    coarse = occore.load_case(CASE).build()
    fine = occore.load_case(CASE, settings=FINE).build()
    decided, true = classes(coarse, coarse.problem, theta)
    print("| pixels | controls | steps | error | other classes than on 14 × 14 |")
    print("| --- | --- | --- | --- | --- |")
    print(f"| 14 × 14 | as trained | {steps(coarse.problem)} | {np.mean(decided != true):.2%} | |")
    for way in WAYS:
        problem, moved = transfer(coarse.problem, theta, fine.problem, way)
        anew, true = classes(fine, problem, moved)
        print(
            f"| 28 × 28 | {way} | {steps(problem)} | {np.mean(anew != true):.2%} | "
            f"{np.mean(anew != decided):.2%} |"
        )


def steps(problem: occore.Problem) -> int:
    """Those of the heat phase."""
    return next(phase.steps for phase in problem.phases if phase.name == "heat")


if __name__ == "__main__":
    main()
