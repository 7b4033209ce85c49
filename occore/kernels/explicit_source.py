"""The source of compiled marches: loops over steps, samples and stages of one explicit method.

It is text, since Numba keeps compiled code beside a file of its own for each field and tableau.
The names that it uses are those of `explicit_steps`: the tableau a, b, c, the places `at` of the
stage times among the abscissae, `stages`, `n`, `m`, the precision `kind`, and the point kernels f,
jvp, vjp and curvature of the field. Times and weights are of double precision until they meet x.
"""

LOOPS = """
@njit
def make(t, h, x, u, X, K):
    for i in range(stages):
        for j in range(n):
            total = x[j]
            for k in range(i):
                if a[i, k] != 0:
                    total += kind(h * a[i, k]) * K[k, j]
            X[i, j] = total
        f(kind(t + c[i] * h), X[i], u[at[i]], K[i])

@njit
def make_tangent(t, h, dx, u, du, X, dX, dK):
    for i in range(stages):
        for j in range(n):
            total = dx[j]
            for k in range(i):
                if a[i, k] != 0:
                    total += kind(h * a[i, k]) * dK[k, j]
            dX[i, j] = total
        jvp(kind(t + c[i] * h), X[i], u[at[i]], dX[i], du[at[i]], dK[i])

@njit
def add(h, x, K):
    for j in range(n):
        total = x[j]
        for i in range(stages):
            if b[i] != 0:
                total += kind(h * b[i]) * K[i, j]
        x[j] = total

@njit
def weigh(i, h, p, q, pk):
    for j in range(n):
        total = kind(h * b[i]) * p[j]
        for r in range(i + 1, stages):
            if a[r, i] != 0:
                total += kind(h * a[r, i]) * q[r, j]
        pk[j] = total

@njit
def copy(x, kept, mark):
    for s in range(x.shape[0]):
        for j in range(n):
            kept[s, mark, j] = x[s, j]

@njit
def observe(py, mark, p):
    for s in range(p.shape[0]):
        for j in range(n):
            p[s, j] += py[s, mark, j]

@njit
def advance(first, last, times, lengths, x, u, base, states, marks, mark, kept):
    X, K = np.empty((stages, n), kind), np.empty((stages, n), kind)
    moving = min(len(u) - 1, 1)
    for k in range(first, last):
        t, h, uk = times[k], lengths[k], u[(k - base) * moving]
        for s in range(x.shape[0]):
            if len(states):
                for j in range(n):
                    states[k - first, s, j] = x[s, j]
            make(t, h, x[s], uk, X, K)
            add(h, x[s], K)
        if mark < len(marks) and marks[mark] == k + 1:
            copy(x, kept, mark)
            mark += 1

@njit
def tangent(first, last, times, lengths, x, dx, u, du, base, states, tangents, marks, mark, kept):
    X, K = np.empty((stages, n), kind), np.empty((stages, n), kind)
    dX, dK = np.empty((stages, n), kind), np.empty((stages, n), kind)
    moving = min(len(u) - 1, 1)
    for k in range(first, last):
        t, h, row = times[k], lengths[k], (k - base) * moving
        for s in range(x.shape[0]):
            if len(states):
                for j in range(n):
                    states[k - first, s, j] = x[s, j]
                    tangents[k - first, s, j] = dx[s, j]
            make(t, h, x[s], u[row], X, K)
            make_tangent(t, h, dx[s], u[row], du[row], X, dX, dK)
            add(h, x[s], K)
            add(h, dx[s], dK)
        if mark < len(marks) and marks[mark] == k + 1:
            copy(dx, kept, mark)
            mark += 1

@njit
def adjoint(first, last, times, lengths, states, u, base, marks, mark, py, p, pu):
    X, K = np.empty((stages, n), kind), np.empty((stages, n), kind)
    q, pk = np.empty((stages, n + m), kind), np.empty(n, kind)
    moving = min(len(u) - 1, 1)
    for k in range(last - 1, first - 1, -1):
        t, h, row = times[k], lengths[k], (k - base) * moving
        if mark > 0 and marks[mark - 1] == k + 1:
            mark -= 1
            observe(py, mark, p)
        for s in range(p.shape[0]):
            make(t, h, states[k - first, s], u[row], X, K)
            for i in range(stages - 1, -1, -1):
                weigh(i, h, p[s], q, pk)
                vjp(kind(t + c[i] * h), X[i], u[row, at[i]], pk, q[i])
                for j in range(m):
                    pu[row, at[i], j] += q[i, n + j]
            for i in range(stages):
                for j in range(n):
                    p[s, j] += q[i, j]

@njit
def second(first, last, times, lengths, states, tangents, u, du, base, marks, mark, py, p, dp, dpu):
    X, K = np.empty((stages, n), kind), np.empty((stages, n), kind)
    dX, dK = np.empty((stages, n), kind), np.empty((stages, n), kind)
    q, dq = np.empty((stages, n + m), kind), np.empty((stages, n + m), kind)
    pk, dpk, bend = np.empty(n, kind), np.empty(n, kind), np.empty(n + m, kind)
    moving = min(len(u) - 1, 1)
    for k in range(last - 1, first - 1, -1):
        t, h, row = times[k], lengths[k], (k - base) * moving
        if mark > 0 and marks[mark - 1] == k + 1:
            mark -= 1
            observe(py, mark, p)
        for s in range(p.shape[0]):
            make(t, h, states[k - first, s], u[row], X, K)
            make_tangent(t, h, tangents[k - first, s], u[row], du[row], X, dX, dK)
            for i in range(stages - 1, -1, -1):
                time = kind(t + c[i] * h)
                weigh(i, h, p[s], q, pk)
                weigh(i, h, dp[s], dq, dpk)
                vjp(time, X[i], u[row, at[i]], pk, q[i])
                vjp(time, X[i], u[row, at[i]], dpk, dq[i])
                curvature(time, X[i], u[row, at[i]], pk, dX[i], du[row, at[i]], bend)
                for j in range(n + m):
                    dq[i, j] += bend[j]
                for j in range(m):
                    dpu[row, at[i], j] += dq[i, n + j]
            for i in range(stages):
                for j in range(n):
                    p[s, j] += q[i, j]
                    dp[s, j] += dq[i, j]
"""
