"""The source of compiled marches: loops over steps, samples and stages of one explicit method.

It is text, since Numba keeps compiled code beside a file, and each field and tableau needs its own.
The names that it uses are those of `explicit_steps`: the tableau a, b, c, the places `at` of the
stage times among the abscissae, `stages`, `n`, `m`, the precision `kind`, and the point kernels f,
jvp, vjp and curvature of the field. X, K: (stages, n). u, du, pu: (steps or 1, abscissae, m).
"""

LOOPS = """
@njit
def make(t, h, x, u, X, K):
    for i in range(stages):
        for j in range(n):
            total = x[j]
            for k in range(i):
                if a[i, k] != 0:
                    total += h * a[i, k] * K[k, j]
            X[i, j] = total
        f(t + c[i] * h, X[i], u[at[i]], K[i])

@njit
def make_tangent(t, h, dx, u, du, X, dX, dK):
    for i in range(stages):
        for j in range(n):
            total = dx[j]
            for k in range(i):
                if a[i, k] != 0:
                    total += h * a[i, k] * dK[k, j]
            dX[i, j] = total
        jvp(t + c[i] * h, X[i], u[at[i]], dX[i], du[at[i]], dK[i])

@njit
def add(h, x, K):
    for j in range(n):
        total = x[j]
        for i in range(stages):
            if b[i] != 0:
                total += h * b[i] * K[i, j]
        x[j] = total

@njit
def advance(first, last, times, lengths, x, u, states):
    '''x (samples, n) goes on in place; states (steps + 1, samples, n) keeps it, if not empty.'''
    X, K = np.empty((stages, n), kind), np.empty((stages, n), kind)
    for k in range(first, last):
        t, h = kind(times[k]), kind(lengths[k])
        for s in range(x.shape[0]):
            make(t, h, x[s], u[k % len(u)], X, K)
            add(h, x[s], K)
        if len(states):
            states[k + 1] = x

@njit
def tangent(first, last, times, lengths, x, dx, u, du, tangents):
    '''x and dx go on in place; tangents (steps + 1, samples, n) keeps dx, if not empty.'''
    X, K = np.empty((stages, n), kind), np.empty((stages, n), kind)
    dX, dK = np.empty((stages, n), kind), np.empty((stages, n), kind)
    for k in range(first, last):
        t, h = kind(times[k]), kind(lengths[k])
        for s in range(x.shape[0]):
            make(t, h, x[s], u[k % len(u)], X, K)
            make_tangent(t, h, dx[s], u[k % len(u)], du[k % len(du)], X, dX, dK)
            add(h, x[s], K)
            add(h, dx[s], dK)
        if len(tangents):
            tangents[k + 1] = dx

@njit
def adjoint(first, last, times, lengths, states, u, p, pu):
    '''p (samples, n) goes back in place from step last to first; pu is added to.'''
    X, K = np.empty((stages, n), kind), np.empty((stages, n), kind)
    q, pk = np.empty((stages, n + m), kind), np.empty(n, kind)
    for k in range(last - 1, first - 1, -1):
        t, h = kind(times[k]), kind(lengths[k])
        for s in range(p.shape[0]):
            make(t, h, states[k - first, s], u[k % len(u)], X, K)
            for i in range(stages - 1, -1, -1):
                for j in range(n):
                    total = b[i] * p[s, j]
                    for r in range(i + 1, stages):
                        if a[r, i] != 0:
                            total += a[r, i] * q[r, j]
                    pk[j] = h * total
                vjp(t + c[i] * h, X[i], u[k % len(u)][at[i]], pk, q[i])
                for j in range(m):
                    pu[k % len(pu), at[i], j] += q[i, n + j]
            for i in range(stages):
                for j in range(n):
                    p[s, j] += q[i, j]

@njit
def second(first, last, times, lengths, states, tangents, u, du, p, dp, dpu):
    '''p and dp (samples, n) go back in place; dpu is added to.'''
    X, K = np.empty((stages, n), kind), np.empty((stages, n), kind)
    dX, dK = np.empty((stages, n), kind), np.empty((stages, n), kind)
    q, dq = np.empty((stages, n + m), kind), np.empty((stages, n + m), kind)
    pk, dpk, bend = np.empty(n, kind), np.empty(n, kind), np.empty(n + m, kind)
    for k in range(last - 1, first - 1, -1):
        t, h = kind(times[k]), kind(lengths[k])
        for s in range(p.shape[0]):
            uk, duk = u[k % len(u)], du[k % len(du)]
            make(t, h, states[k - first, s], uk, X, K)
            make_tangent(t, h, tangents[k - first, s], uk, duk, X, dX, dK)
            for i in range(stages - 1, -1, -1):
                for j in range(n):
                    total, dtotal = b[i] * p[s, j], b[i] * dp[s, j]
                    for r in range(i + 1, stages):
                        if a[r, i] != 0:
                            total += a[r, i] * q[r, j]
                            dtotal += a[r, i] * dq[r, j]
                    pk[j], dpk[j] = h * total, h * dtotal
                time = t + c[i] * h
                vjp(time, X[i], uk[at[i]], pk, q[i])
                vjp(time, X[i], uk[at[i]], dpk, dq[i])
                curvature(time, X[i], uk[at[i]], pk, dX[i], duk[at[i]], bend)
                for j in range(n + m):
                    dq[i, j] += bend[j]
                for j in range(m):
                    dpu[k % len(dpu), at[i], j] += dq[i, n + j]
            for i in range(stages):
                for j in range(n):
                    p[s, j] += q[i, j]
                    dp[s, j] += dq[i, j]
"""
