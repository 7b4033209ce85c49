"""The march of an integrated phase over its steps: forward, tangent, adjoint, second-order adjoint.

    x_{k+1} = step(t_k, h_k, x_k, u_k),    u_k = the controls at the stage times of step k

The output is the end state, or the states at some observed steps. The derivative is that of the
discrete march, exact to rounding; what it stores is up to the memory policy, and every policy gives
the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from occore.arrays import Array, Controls, array_namespace
from occore.checkpointing import Cost, Linearizations, Memory, Reversible, States, Steps, Sweep
from occore.composition import second_adjoint
from occore.controls import ControlSpace
from occore.discretization import Discretization
from occore.dynamics import Dynamics
from occore.grid import Grid
from occore.linearization import Linearization
from occore.stage_controls import StageControls, Stages

if TYPE_CHECKING:
    from occore.kernels.compiled_march import CompiledMarch


@dataclass(frozen=True)
class March:
    """A dynamics, a discretization, and a grid of steps.

    steps: of the phase, by which the control space sizes itself; an adaptive grid has others.
    observed: numbers of steps, increasing, after which the state is observed (0 is the start); the
    output is then (samples, observations, *state_shape). Without it the output is the end state.
    """

    dynamics: Dynamics
    discretization: Discretization
    space: ControlSpace
    steps: int
    grid: Grid
    memory: Memory = field(default_factory=Linearizations)
    observed: tuple[int, ...] | None = None
    cost: Cost = field(default_factory=Cost, compare=False)

    @cached_property
    def stages(self) -> Stages:
        """The steps' part in the controls."""
        method, dynamics = self.discretization, self.dynamics
        return Stages(
            dynamics.controls,
            self.space,
            self.steps,
            dynamics.constants,
            self.grid,
            method.abscissae,
        )

    @cached_property
    def compiled(self) -> CompiledMarch | None:
        """The march by compiled loops, where the field and the method have them."""
        if self.discretization.tableau is None:
            return None
        from occore.kernels.compiled_march import compile_march

        return compile_march(self)

    @cached_property
    def places(self) -> dict[int, int]:
        """The place of each observed step among the observations."""
        return {k: place for place, k in enumerate(self.observed or ())}

    def states(self, x: Array, u: Controls) -> Iterator[Array]:
        """The states after each step from the start state x, one after the other."""
        if self.compiled is not None and self.compiled.takes(x, u):
            yield from self.compiled.states(x, u)
            return
        control = self.stages.controls(u)
        for k in range(self.grid.steps):
            x = self._step(k, x, control)
            yield x

    def __call__(self, x: Array, u: Controls) -> Array:
        """The output."""
        if self.compiled is not None and self.compiled.takes(x, u):
            return self.compiled(x, u)
        kept = self._start(x)
        for k, state in enumerate(self.states(x, u), start=1):
            x = state
            if k in self.places:
                kept.append(state)
        return self._output(x, kept)

    def linearize(self, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The output, and its derivative with respect to (x, coefficients)."""
        if self.compiled is not None and self.compiled.takes(x, u):
            return self.compiled.linearize(x, u)
        linearization = MarchLinearization(self, x, self.stages.controls(u))
        return linearization.output, linearization

    def _step(self, k: int, x: Array, control: StageControls) -> Array:
        t, h = float(self.grid.times[k]), float(self.grid.lengths[k])
        return self.discretization.step(self.dynamics, t, h, x, control[k])

    def _linearize_step(
        self, k: int, x: Array, control: StageControls
    ) -> tuple[Array, Linearization]:
        t, h = float(self.grid.times[k]), float(self.grid.lengths[k])
        return self.discretization.linearize_step(self.dynamics, t, h, x, control[k])

    def _retreat(self, k: int, x: Array, control: StageControls) -> Array:
        assert self.discretization.retreat is not None, "asked for before the sweep"  # noqa: S101
        t, h = float(self.grid.times[k]), float(self.grid.lengths[k])
        return self.discretization.retreat(self.dynamics, t, h, x, control[k])

    def _start(self, x: Array) -> list[Array]:
        return [x] if 0 in self.places else []

    def _output(self, x: Array, kept: list[Array]) -> Array:
        return x if self.observed is None else array_namespace(x).stack(kept, axis=1)


class MarchLinearization(Linearization):
    """The derivative of a march at one (x, u). Its products may be called in any order and number.

    A sweep that stores only some states serves one adjoint; the next adjoint begins with a forward
    sweep of its own, which computes the same numbers.
    """

    def __init__(self, march: March, x: Array, control: StageControls) -> None:
        self.march, self.x, self.control = march, x, control
        kept = march._start(x)
        self._sweep: Sweep | None = self._forward(kept)
        self.output = march._output(self._end, kept)

    @property
    def curvature(self) -> Callable[[Array, Array, Controls], tuple[Array, Controls]] | None:
        """Second-order adjoint sweep, where the steps have second derivatives."""
        return self._curvature if self._has_curvature else None

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Tangent sweep."""
        direction = self.march.stages.controls(du)
        kept = self.march._start(dx)
        for k, part in self._forward_parts():
            dx = part.jvp(dx, direction[k])
            if k + 1 in self.march.places:
                kept.append(dx)
        return self.march._output(dx, kept)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Adjoint sweep."""
        sweep, gather = self._take_sweep(), self.march.stages.gather()
        p = self._seed(py)
        for k, part in sweep.reverse():
            p = self._observe(k + 1, p, py)
            p, pu = part.vjp(p)
            gather.add(k, pu)
        return self._observe(0, p, py), gather.result()

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Second-order adjoint sweep: the pair (x, dx) goes forward, (p, dp) comes back."""
        direction = self.march.stages.controls(du)
        gather = self.march.stages.gather()
        p = self._seed(py)
        dp = 0 * p
        for k, (part, tangent) in self._tangent_sweep(dx, direction).reverse():
            p = self._observe(k + 1, p, py)
            p, dp, dpu = second_adjoint(part, p, dp, tangent, direction[k])
            gather.add(k, dpu)
        return dp, gather.result()

    @cached_property
    def _has_curvature(self) -> bool:
        _, part = next(iter(self._forward_parts()))
        return part.curvature is not None

    def _forward(self, kept: list[Array]) -> Sweep:
        """A sweep that has gone forward; observed states are appended to `kept`."""
        march, control = self.march, self.control

        def advance(k: int, state: Any) -> Any:
            return (keep(k, march._step(k, state[0], control)),)

        def linearize(k: int, state: Any) -> Any:
            x, part = march._linearize_step(k, state[0], control)
            return (keep(k, x),), part

        def retreat(k: int, state: Any) -> Any:
            return (march._retreat(k, state[0], control),)

        first = True

        def keep(k: int, x: Array) -> Array:
            if first and k + 1 in march.places:
                kept.append(x)
            return x

        steps = Steps(march.grid.steps, (self.x,), advance, linearize, retreat)
        sweep = march.memory.sweep(steps, march.cost)
        (self._end,) = sweep.forward()
        first = False
        return sweep

    def _take_sweep(self) -> Sweep:
        sweep = self._sweep or self._forward([])
        self._sweep = sweep if sweep.reusable else None
        return sweep

    def _forward_parts(self) -> Iterator[tuple[int, Linearization]]:
        """The linearizations from the first step to the last."""
        if self._sweep is not None and self._sweep.parts is not None:
            yield from enumerate(self._sweep.parts)
            return
        x = self.x
        for k in range(self.march.grid.steps):
            x, part = self.march._linearize_step(k, x, self.control)
            yield k, part

    def _tangent_sweep(self, dx: Array, direction: StageControls) -> Sweep:
        """A sweep of the pair (x, dx); what it hands out for a step is (linearization, dx)."""
        march, control = self.march, self.control

        def linearize(k: int, state: Any) -> Any:
            if stored is not None:
                part = stored[k]
                return (state[0], part.jvp(state[1], direction[k])), (part, state[1])
            x, part = march._linearize_step(k, state[0], control)
            return (x, part.jvp(state[1], direction[k])), (part, state[1])

        def advance(k: int, state: Any) -> Any:
            return linearize(k, state)[0]

        stored = None if self._sweep is None else self._sweep.parts
        # going back loses the tangent, so that second order keeps the states
        memory = States() if isinstance(march.memory, Reversible) else march.memory
        sweep = memory.sweep(Steps(march.grid.steps, (self.x, dx), advance, linearize), march.cost)
        sweep.forward()
        return sweep

    def _seed(self, py: Array) -> Array:
        """The adjoint after the last step, before observations are added."""
        return py if self.march.observed is None else 0 * py[:, 0]

    def _observe(self, k: int, p: Array, py: Array) -> Array:
        """The adjoint with that of the observation after step k, if there is one."""
        place = self.march.places.get(k)
        return p if place is None else p + py[:, place]
