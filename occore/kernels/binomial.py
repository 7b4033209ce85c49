"""Binomial checkpointing: how far to go before the next state is stored.

With s slots and at most r evaluations of each step, β(s, r) = (s + r)! / (s! r!) steps can be
reversed. Of n steps, m are taken before the next state is stored:

    β(s, r − 1) < n ≤ β(s, r):    m = min(β(s, r − 1), n − β(s − 1, r − 1))

Griewank and Walther, ACM Trans. Math. Softw. 26 (2000), algorithm 799, figure 4: the largest m of
all that are optimal.
"""


def steps_to_next(n: int, s: int) -> int:
    """m for n ≥ 2 steps and s ≥ 1 slots, one of which holds the first state."""
    # fewer, more: β(s, r − 1), β(s, r); beside: β(s − 1, r − 1) = β(s, r − 1) s / (s + r − 1)
    r, fewer = 1, 1
    while (more := fewer * (s + r) // r) < n:
        r, fewer = r + 1, more
    beside = fewer * s // (s + r - 1)
    return min(fewer, n - beside)
