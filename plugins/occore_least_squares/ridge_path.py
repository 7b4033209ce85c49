"""Ridge path: Tikhonov's solution for many λ by one factorisation, and a choice among them.

    Θ(λ) = argmin ½‖A Θ − B‖² + (λ/2)‖L Θ‖²,    ½‖L Θ‖² the penalties of the case with their weights

    choose          λ of the path
    l_curve         largest curvature of (log ‖A Θ − B‖, log ‖L Θ‖), its corner
    gcv             least generalised cross-validation m ‖A Θ − B‖² / (m − trace of the hat matrix)²
    leave_one_out   least square error of each sample by the fit to all the others
    discrepancy     the largest with ‖A Θ − B‖ ≤ safety · noise_level
    validation      least square error on a part of the samples that is kept from the fit

Hansen, Discrete Inverse Problems (2010), chapter 5; Golub, Heath and Wahba (1979) for gcv. With
`validation` the solution is that of all samples, by a second factorisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from occore import (
    Array,
    ComputationError,
    Data,
    DenseLeastSquares,
    Example,
    InputError,
    Optimizer,
    Phase,
    Problem,
    State,
    Status,
    Structure,
    StructureError,
    dense_least_squares,
    norm,
)
from occore_least_squares.iteration import NoiseLevel, Safety
from occore_least_squares.standard_form import TikhonovPath, tikhonov_path
from occore_least_squares.validation import Seed, Share, training_and_validation

Choice = Literal["l_curve", "gcv", "leave_one_out", "discrepancy", "validation"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class RidgePathState(State):
    """The path: λ (q,), what belongs to each λ, θ of each (q, size), and the place of the choice.

    criterion is what is least, or with `l_curve` greatest, at the choice.
    """

    lambdas: Array
    residual_norm: Array
    seminorm: Array
    degrees_of_freedom: Array
    curvature: Array
    gcv: Array
    criterion: Array
    thetas: Array
    chosen: int


@dataclass(frozen=True)
class RidgePath(Optimizer[RidgePathState]):
    """Direct, for problems with penalties that hand out their matrices; one iteration.

    λ multiplies the weights of the penalties. The objective of its states is that of the case.
    """

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("dense_least_squares",)
    state: ClassVar[type[State]] = RidgePathState

    choose: Annotated[Choice, Field(description="how λ is chosen")] = "gcv"
    smallest: Annotated[Positive, Field(description="the smallest λ")] = 1e-6
    largest: Annotated[Positive, Field(description="the largest λ")] = 1e6
    points: Annotated[int, Field(gt=1, description="λ on the path, at equal ratios")] = 50
    noise_level: NoiseLevel = None
    safety: Safety = 1.0
    validation: Share = 0.25
    seed: Seed = 0

    def __post_init__(self) -> None:
        if self.smallest >= self.largest:
            raise InputError(f"smallest = {self.smallest} must be below largest = {self.largest}")
        if (self.choose == "discrepancy") != (self.noise_level is not None):
            raise InputError(
                'choose = "discrepancy" goes with a noise_level, the norm of the noise in the '
                "residual; the other choices do without"
            )

    @property
    def lambdas(self) -> Array:
        """The λ of the path, (points,), rising."""
        return np.geomspace(self.smallest, self.largest, self.points)

    def init(self, problem: Problem, theta: Array) -> RidgePathState:
        """An empty path. Raises StructureError where no penalty is there to be weighed."""
        if not problem.penalties:
            raise StructureError(
                "ridge_path weighs penalties, and the objective has none; add [[objective.penalty]]"
            )
        value, gradient = problem.value_and_gradient(theta)
        none = np.zeros(0)
        start = State(0, value, norm(gradient), float("nan"))
        return RidgePathState(
            **vars(start),
            lambdas=none,
            residual_norm=none,
            seminorm=none,
            degrees_of_freedom=none,
            curvature=none,
            gcv=none,
            criterion=none,
            thetas=np.zeros((0, theta.size)),
            chosen=0,
        )

    def step(
        self, problem: Problem, theta: Array, state: RidgePathState
    ) -> tuple[Array, RidgePathState]:
        """The path, and the solution at its chosen λ."""
        system, lambdas = dense_least_squares(problem), self.lambdas
        path = tikhonov_path(system.A, system.B, system.L)
        residual, seminorm = (np.sqrt(squares) for squares in path.squares(lambdas))
        curvature, gcv = path.curvature(lambdas), path.gcv(lambdas)
        if self.choose == "l_curve":
            criterion, chosen = curvature, int(np.argmax(curvature))
        elif self.choose == "discrepancy":
            criterion, chosen = residual, self._at_noise(residual)
        else:
            criterion = gcv if self.choose == "gcv" else self._errors(problem, system, path)
            chosen = int(np.argmin(criterion))
        thetas = np.stack([system.theta(matrix) for matrix in path.coefficients(lambdas)])
        theta = thetas[chosen].astype(problem.dtype)
        value, gradient = problem.value_and_gradient(theta)
        return theta, RidgePathState(
            state.iteration + 1,
            value,
            norm(gradient),
            float("nan"),
            lambdas,
            residual,
            seminorm,
            path.degrees_of_freedom(lambdas),
            curvature,
            gcv,
            criterion,
            thetas,
            chosen,
        )

    def _at_noise(self, residual: Array) -> int:
        """The place of the largest λ whose residual is at the noise; residuals rise with λ."""
        assert self.noise_level is not None  # noqa: S101 - checked with the options
        count = int(np.sum(residual <= self.safety * self.noise_level))
        if count == 0:
            raise ComputationError(
                f"the residual is {residual[0]:.6g} at the smallest λ = {self.smallest:g}, and not "
                f"at the noise level {self.safety * self.noise_level:.6g} for any λ; lower "
                "optimizer.smallest, or raise noise_level if the model cannot fit the data better"
            )
        return count - 1

    def _errors(self, problem: Problem, system: DenseLeastSquares, path: TikhonovPath) -> Array:
        """Mean square errors on samples that the fit does not know, for each λ."""
        if self.choose == "leave_one_out":
            return path.leave_one_out(system.A, system.B, self.lambdas)
        fit, judge = training_and_validation(problem, self.validation, self.seed)
        known, unknown = dense_least_squares(fit), dense_least_squares(judge)
        matrices = tikhonov_path(known.A, known.B, known.L).coefficients(self.lambdas)
        return np.mean((unknown.A @ matrices - unknown.B) ** 2, axis=(1, 2))

    def finished(self, problem: Problem, theta: Array, state: RidgePathState) -> Status | None:
        """After the one iteration."""
        return Status.SOLVED if state.iteration else None

    def report(self, problem: Problem, theta: Array, state: RidgePathState) -> dict[str, Any]:
        """The path and the chosen λ."""
        if state.iteration == 0:
            return {}
        return {
            "path": {
                "lambda": state.lambdas,
                "residual_norm": state.residual_norm,
                "seminorm": state.seminorm,
                "degrees_of_freedom": state.degrees_of_freedom,
                "curvature": np.where(np.isfinite(state.curvature), state.curvature, np.nan),
                "gcv": state.gcv,
                "criterion": np.where(np.isfinite(state.criterion), state.criterion, np.nan),
                "controls": self._controls(problem, state.thetas),
                "choose": self.choose,
                "chosen": state.chosen,
                "chosen_lambda": float(state.lambdas[state.chosen]),
            }
        }

    def _controls(self, problem: Problem, thetas: Array) -> dict[str, dict[str, Array]]:
        """Each control along the path, (q, *shape), by phase and name."""
        return {
            phase.name: {
                name: np.stack([problem.unflatten(theta)[phase.name][name] for theta in thetas])
                for name in phase.layout
            }
            for phase in problem.phases
        }

    @classmethod
    def example(cls) -> Example:
        """(0, 1), (1, 3), (2, 5) with λ/2 times the square of the slope, λ in {2, 6}, by hand.

        The slope is 4/(2 + λ), the line goes through (1, 3), and the squares of its residuals add
        up to 2 (2 − slope)². With 1 + 2/(2 + λ) degrees of freedom gcv is 8/3 for λ = 2 and 4.41
        for λ = 6: the line is y = 2 + x.
        """
        from occore_least_squares.least_squares import LeastSquares
        from occore_least_squares.linear import Linear
        from occore_least_squares.tikhonov import Tikhonov

        data = Data(np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [3.0], [5.0]]))
        objective = LeastSquares() + 1.0 * Tikhonov(controls=("W",))
        problem = Problem((Phase("fit", Linear((1,), 1)),), objective, data)
        optimizer = cls(smallest=2.0, largest=6.0, points=2)
        return Example(optimizer, problem=problem, theta=[0.0, 0.0], value=[1.0, 2.0])
