"""Where a computation left the numbers."""

import numpy as np

import occore
from occore.nonfinite import locate_nonfinite
from occore.testing.models import Decay
from occore_continuous.control_spaces.constant import Constant
from occore_least_squares.least_squares import LeastSquares


def test_the_locator_names_phase_and_step():
    class Blowing(occore.Discretization):
        order = 1
        abscissae = (0.0,)

        def step(self, dynamics, t, h, x, control):
            return x * np.where(t > 0.5, np.inf, 1.0)

        def linearize_step(self, dynamics, t, h, x, control):
            raise AssertionError

    phase = occore.Phase("decay", Decay(), Blowing(), 10, 1.0, space=Constant())
    problem = occore.Problem(
        (phase,), LeastSquares(), occore.Data(np.ones((2, 1)), np.ones((2, 1)))
    )
    text = locate_nonfinite(problem, np.zeros(0))
    assert text == "the state after step 7 of phase 'decay' is not finite (sample 0)"
