"""Structure of a problem that optimizers may ask for: asked for, not guessed.

    least_squares          J(θ) = ½‖r(θ)‖²
    linear_least_squares   r(θ) = r(0) + J θ
    dense_least_squares    ½‖A Θ − B‖² + ½‖L Θ‖², with matrices at hand; Θ is θ as a matrix
    linear_model           Φ(A Θ) + ½‖L Θ‖², with matrices at hand and any terminal terms Φ
    separable              the last phase is affine in its controls, with a design that the phases
                           before it make of theirs; penalties act on the rows of each control
    smooth                 every term has derivatives everywhere
    composite              smooth terms, and at most one control term with kinks and a proximal map
    sparse_quadratic       ½ tr ΘᵀHΘ − tr BᵀΘ + c with a sparse H, see `occore.sparse_quadratic`

`spoiler` says what a problem lacks, and which phase or term spoils it, before any work.
"""

from __future__ import annotations

from typing import Literal

from occore.arrays import is_sparse
from occore.errors import StructureError
from occore.phase import Phase
from occore.problem import Problem
from occore.sparse_quadratic import not_sparse_quadratic

Structure = Literal[
    "least_squares",
    "linear_least_squares",
    "dense_least_squares",
    "linear_model",
    "separable",
    "smooth",
    "composite",
    "sparse_quadratic",
]


def spoiler(problem: Problem, structure: Structure) -> str | None:
    """Why the problem lacks the structure, naming the phase or the term; `None` where it has it."""
    if structure == "least_squares":
        return _not_squares(problem)
    if structure == "linear_model":
        return _not_linear(problem) or _no_matrices(problem)
    if structure == "separable":
        return _not_separable(problem) or _no_matrices(problem)
    if structure == "smooth":
        return _kinks(problem)
    if structure == "composite":
        return _no_proximal(problem)
    if structure == "linear_least_squares":
        return _not_squares(problem) or _not_affine(problem)
    if structure == "sparse_quadratic":
        return not_sparse_quadratic(problem)
    return without_matrices(problem) or _filled_in(problem)


def require_structure(problem: Problem, structure: Structure) -> None:
    """Raise StructureError where the problem lacks the structure."""
    why = spoiler(problem, structure)
    if why is not None:
        raise StructureError(f"needs the structure {structure!r}, but {why}")


def _not_squares(problem: Problem) -> str | None:
    for weight, term in problem.objective.terms:
        if not getattr(term, "sum_of_squares", False):
            return f"the term {_kind(term)} of the objective is no sum of squares"
        if weight < 0:
            return f"the term {_kind(term)} of the objective has the negative weight {weight:g}"
    return None


def _not_affine(problem: Problem) -> str | None:
    for _, term in problem.objective.terms:
        if not getattr(term, "affine_residual", False):
            return f"the residual of the term {_kind(term)} is not affine"
    return _not_linear(problem)


def _not_separable(problem: Problem) -> str | None:
    last = problem.phases[-1]
    if not (last.dynamics.affine_in_controls and last.layout.size):
        return f"the last phase, {_name(last)}, is not affine in controls of its own"
    if last.discretization is not None:
        return f"the last phase, {_name(last)}, is integrated, which makes it nonlinear in them"
    if not any(phase.layout.size for phase in problem.phases[:-1]):
        return f"no phase before {_name(last)} has controls, so that nothing is to be separated"
    return None


def _not_linear(problem: Problem) -> str | None:
    """Why the end states are not affine in the controls."""
    controlled = [phase for phase in problem.phases if phase.layout.size]
    for phase in controlled[:1]:
        if not phase.dynamics.affine_in_controls:
            return f"the phase {_name(phase)} is not affine in its controls"
        if phase.discretization is not None:
            return f"the phase {_name(phase)} is integrated, which makes it nonlinear in them"
    for phase in controlled[1:]:
        return (
            f"the phase {_name(phase)} is a second one with controls: their product is not affine"
        )
    last = problem.phases[-1]
    if not controlled or controlled[0] is not last:
        return f"the phase {_name(last)} comes after or instead of the one with the controls"
    return None


def without_matrices(problem: Problem) -> str | None:
    """Why a problem hands out no matrices of a linear least-squares problem, sparse or dense."""
    why = _not_squares(problem) or _not_affine(problem)
    if why is not None:
        return why
    for _, term in problem.terminal:
        if term.residual_scale is None:
            return f"the residual of the term {_kind(term)} is no multiple of x − target"
    return _no_matrices(problem)


def _filled_in(problem: Problem) -> str | None:
    if is_sparse(problem.data.inputs) and len(problem.phases) == 1:
        return "the inputs are a sparse matrix, which dense methods would fill in"
    return None


def _no_matrices(problem: Problem) -> str | None:
    last = problem.phases[-1]
    if last.dynamics.design is None:
        return f"the phase {_name(last)} has no design matrix"
    if problem.ends or problem.running is not None:
        return "its objective has a running cost or a term in both ends"
    for _, term in problem.penalties:
        if term.row_operator is None:
            return f"the penalty {_kind(term)} has no operator that acts on the rows"
    return None


def _kinks(problem: Problem) -> str | None:
    for _, term in problem.penalties:
        if not term.smooth:
            return f"the penalty {_kind(term)} has kinks"
    return None


def _no_proximal(problem: Problem) -> str | None:
    rough = [(weight, term) for weight, term in problem.penalties if not term.smooth]
    for weight, term in rough:
        if term.proximal is None:
            return f"the penalty {_kind(term)} has kinks, but no proximal map"
        if weight < 0:
            return f"the penalty {_kind(term)} has the negative weight {weight:g}"
    if len(rough) > 1:
        names = " and ".join(_kind(term) for _, term in rough)
        return f"the penalties {names} have kinks: there is no proximal map of their sum"
    return None


def _name(phase: Phase) -> str:
    return f"{phase.name!r} ({_kind(phase.dynamics)})"


def _kind(thing: object) -> str:
    return type(thing).__name__
