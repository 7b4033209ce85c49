"""The cubic through values and slopes at both ends of a step."""

from occore.arrays import Array

Ends = tuple[Array, Array]
"""What belongs to the start and to the end of a step; numbers or arrays of one shape."""


def hermite(s: float, values: Ends, slopes: Ends, h: float) -> Array:
    """The value at the fraction s of a step of length h.

    Hairer, Nørsett and Wanner I, equation II.6.7.
    """
    (a, b), (da, db) = values, slopes
    bubble = s * (s - 1) * ((1 - 2 * s) * (b - a) + h * ((s - 1) * da + s * db))
    return (1 - s) * a + s * b + bubble
