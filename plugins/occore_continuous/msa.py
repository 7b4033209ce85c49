"""MSA: the method of successive approximations, by Pontryagin's principle.

    forward    x_{k+1} = Y_k(x_k, u_k)          backward   p_k = Y_kxᵀ p_{k+1}
    then       u ← argmin over v of Σ_k H_k(v) + R(v),    H_k(v) = ⟨p_{k+1}, Y_k(x_k, v_k)⟩
               + ρ/(2 h_k) (‖Y_k(x_k, v_k) − x_{k+1}‖² + ‖Y_kx(x_k, v_k)ᵀ p_{k+1} − p_k‖²)

symbol    code                shape                     meaning
Y_k       Course.replay                                 a step of a phase, or a layer
x, p      states, costates    (samples, *state_shape)   held while u is sought
h         lengths             ()                        length of the step
ρ         regularization      ()                        0: the basic method
R                                                       penalties of the controls

ρ = 0 is the method of I. A. Krylov and F. L. Chernous'ko (1962); it converges where states depend
little on controls, and diverges where H is linear in v. With ρ > 0 both equations of the
trajectory are kept to as well: the extended method of Q. Li, L. Chen, C. Tai and W. E, Maximum
principle based algorithms for deep learning, J. Mach. Learn. Res. 18 (2018), 1–29, algorithm 2. In
the form for steps the derivative of the sum at v = u is ∇J, so that fixed points are stationary
points of the discrete problem. The minimum is sought by L-BFGS from u on, as in section 4 there.
W. E, A proposal on machine learning via dynamical systems, Commun. Math. Stat. 5 (2017), 1–11.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field
from scipy.optimize import minimize

from occore import Array, Course, InputError, Problem, State, courses, norm
from occore_classification.smooth import SmoothOptimizer, SmoothState, first_state


@dataclass(frozen=True)
class MSA(SmoothOptimizer[SmoothState]):
    """Each iteration minimises the Hamiltonians at held states and costates."""

    state: ClassVar[type[State]] = SmoothState

    regularization: Annotated[
        float, Field(ge=0, allow_inf_nan=False, description="ρ; 0 for the basic method")
    ] = 1.0
    inner_iterations: Annotated[
        int, Field(gt=0, description="of L-BFGS on the Hamiltonians, at most")
    ] = 20

    def init(self, problem: Problem, theta: Array) -> SmoothState:
        """Value and gradient at the start. Raises InputError where ρ > 0 asks for too much."""
        if self.regularization and not problem.at(theta).sweeps.second_order:
            raise InputError(
                "msa with a regularization needs second derivatives of every phase; give the "
                "dynamics a `curvature`, or take regularization = 0"
            )
        return first_state(problem, theta)

    def step(self, problem: Problem, theta: Array, state: SmoothState) -> tuple[Array, SmoothState]:
        """One sweep forward and back, and a minimisation with all steps at once."""
        sums = Hamiltonians(problem, theta, courses(problem, theta), self.regularization)
        options = {"maxiter": self.inner_iterations, "ftol": 0.0, "gtol": 0.0, "maxcor": 20}
        start = theta.astype(np.float64)
        found: Any = minimize(sums, start, jac=True, method="L-BFGS-B", options=options)
        new = found.x.astype(theta.dtype)
        value, g = problem.value_and_gradient(new)
        return new, replace(
            state,
            iteration=state.iteration + 1,
            value=value,
            gradient_norm=norm(g),
            step_length=norm(new - theta),
            g=g,
        )


@dataclass(frozen=True)
class Hamiltonians:
    """Σ_k H_k(v) + R(v) without its value at θ, and its gradient in v."""

    problem: Problem
    theta: Array
    courses: Sequence[Course]
    regularization: float

    def __call__(self, v: Array) -> tuple[float, Array]:
        """The sum and its gradient (size,)."""
        problem = self.problem
        v = v.astype(problem.dtype)
        problem.count(forward=1, adjoint=1)
        controls, total, pu = problem.unflatten(v), 0.0, {}
        for course in self.courses:
            value, pu[course.name] = self._of_phase(course, controls[course.name])
            total += value
        gradient = problem.flatten(pu)
        last = problem.split_cost(self.courses[-1].states[-1])[0]
        for weight, term in problem.ends:
            value, part = term.linearize(problem.data.inputs, last, controls)
            total, gradient = (
                total + weight * float(value),
                gradient + weight * problem.flatten(part.gradient()[1]),
            )
        for weight, term in problem.penalties:
            value, part = term.linearize(controls)
            total, gradient = (
                total + weight * float(value),
                gradient + weight * problem.flatten(part.gradient()),
            )
        return total, gradient.astype(np.float64)

    def _of_phase(self, course: Course, u: Any) -> tuple[float, Any]:
        total, gather, rho = 0.0, course.gather(), self.regularization
        costs = course.field.quadratures
        for k, y, part in course.replay(u):
            p, h = course.costates[k + 1], abs(float(course.lengths[k]))
            px, pu = part.vjp(p)
            off = y - course.states[k + 1]
            total += float(np.sum(p * off))
            if rho:
                back = px - course.pulled[k]
                r, s = rho / h * _without_costs(off, costs), rho / h * back
                total += float(np.sum(r * off) + np.sum(s * back)) / 2
                assert part.curvature is not None, "asked for before"  # noqa: S101
                still = {name: 0 * value for name, value in pu.items()}
                for more in (part.vjp(r)[1], part.curvature(p, s, still)[1]):
                    pu = {name: pu[name] + more[name] for name in pu}
            gather.add(k, pu)
        return total, gather.result()


def _without_costs(off: Array, costs: int) -> Array:
    """The difference of states, without entries that only add up costs."""
    if not costs:
        return off
    kept = np.array(off)
    kept[..., -costs:] = 0
    return kept
