"""LSMR: the minimum of ‖Jᵀ r‖ over the Krylov space, for ½‖r‖², r = b − J θ.

    Two plane rotations a step, P on the bidiagonal matrix and P̄ on its triangular factor; ‖Jᵀ r‖
    never grows, so that stopping by it is safe.

    symbol         code                          meaning
    u, v           u, v                          Golub–Kahan vectors
    h, h̄           h, h_bar                      S times the search directions, (n,)
    ᾱ, ρ, ρ̄, ζ, ζ̄  alpha_bar, rho, rho_bar, …    rotated entries; ‖(J S)ᵀ r‖ = |ζ̄|
    c̄, s̄           c_bar, s_bar                  rotation P̄ of the step before
    β̈, β̇, ρ̇, τ̃, θ̃  beta_dd, beta_d, rho_d, …     what ‖r‖ needs, by the rotation P̃

Fong and Saunders, SIAM J. Sci. Comput. 33 (2011): section 2 for the iterates, 3 for ‖r‖.
MINRES on the normal equations gives the same iterates in exact arithmetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from occore import Array, Problem, State
from occore_least_squares.golub_kahan import bidiagonalise, next_vectors
from occore_least_squares.iteration import IterationState, LinearIteration


@dataclass(frozen=True)
class LSMRState(IterationState):
    """Golub–Kahan vectors, directions, and the rotated entries."""

    u: Array
    v: Array
    h: Array
    h_bar: Array
    alpha: float
    alpha_bar: float
    rho: float
    rho_bar: float
    c_bar: float
    s_bar: float
    zeta: float
    zeta_bar: float
    beta_dd: float
    beta_d: float
    rho_d: float
    tau_tilde: float
    theta_tilde: float


@dataclass(frozen=True)
class LSMR(LinearIteration[LSMRState]):
    """One forward and one adjoint product a step; the gradient norm falls monotonically."""

    state: ClassVar[type[State]] = LSMRState

    def init(self, problem: Problem, theta: Array) -> LSMRState:
        """The first Golub–Kahan vectors."""
        system = self.system(problem)
        first = bidiagonalise(-system.residual(theta), system.vjp)
        beta, alpha = first.beta, first.alpha
        return LSMRState(
            iteration=0,
            value=beta**2 / 2,
            gradient_norm=alpha * beta,
            step_length=float("nan"),
            initial_gradient_norm=alpha * beta,
            u=first.u,
            v=first.v,
            h=system.apply(first.v),
            h_bar=0 * theta,
            alpha=alpha,
            alpha_bar=alpha,
            rho=1.0,
            rho_bar=1.0,
            c_bar=1.0,
            s_bar=0.0,
            zeta=0.0,
            zeta_bar=alpha * beta,
            beta_dd=beta,
            beta_d=0.0,
            rho_d=1.0,
            tau_tilde=0.0,
            theta_tilde=0.0,
        )

    def step(self, problem: Problem, theta: Array, state: LSMRState) -> tuple[Array, LSMRState]:
        """One bidiagonalisation step, and the rotations."""
        system = self.system(problem)
        JSv = system.jvp(state.v)
        new = next_vectors(JSv, system.vjp, state.u, state.v, state.alpha)
        # P: [ᾱ; β] to [ρ; 0]
        rho = math.hypot(state.alpha_bar, new.beta)
        c, s = state.alpha_bar / rho, new.beta / rho
        theta_new, alpha_bar = s * new.alpha, c * new.alpha
        # P̄: the triangular factor, transposed, to lower bidiagonal form
        theta_bar = state.s_bar * rho
        rho_bar = math.hypot(state.c_bar * rho, theta_new)
        c_bar, s_bar = state.c_bar * rho / rho_bar, theta_new / rho_bar
        zeta, zeta_bar = c_bar * state.zeta_bar, -s_bar * state.zeta_bar
        h_bar = state.h - theta_bar * rho / (state.rho * state.rho_bar) * state.h_bar
        step = zeta / (rho * rho_bar)
        # P̃: ‖r‖² = (β̇ − τ̇)² + β̈²
        beta_hat, beta_dd = c * state.beta_dd, -s * state.beta_dd
        rho_tilde = math.hypot(state.rho_d, theta_bar)
        c_tilde, s_tilde = state.rho_d / rho_tilde, theta_bar / rho_tilde
        beta_d = -s_tilde * state.beta_d + c_tilde * beta_hat
        tau_tilde = (state.zeta - state.theta_tilde * state.tau_tilde) / rho_tilde
        theta_tilde, rho_d = s_tilde * rho_bar, c_tilde * rho_bar
        tau_d = (zeta - theta_tilde * tau_tilde) / rho_d
        return theta + step * h_bar, LSMRState(
            iteration=state.iteration + 1,
            value=((beta_d - tau_d) ** 2 + beta_dd**2) / 2,
            gradient_norm=abs(zeta_bar),
            step_length=step,
            initial_gradient_norm=state.initial_gradient_norm,
            u=new.u,
            v=new.v,
            h=system.apply(new.v) - theta_new / rho * state.h,
            h_bar=h_bar,
            alpha=new.alpha,
            alpha_bar=alpha_bar,
            rho=rho,
            rho_bar=rho_bar,
            c_bar=c_bar,
            s_bar=s_bar,
            zeta=zeta,
            zeta_bar=zeta_bar,
            beta_dd=beta_dd,
            beta_d=beta_d,
            rho_d=rho_d,
            tau_tilde=tau_tilde,
            theta_tilde=theta_tilde,
        )
