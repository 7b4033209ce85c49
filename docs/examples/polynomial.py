"""A plugin in one file: y = c₀ + c₁ x + c₂ x² of each sample, with unknown coefficients c."""

import occore


class Polynomial(occore.Dynamics):
    controls = occore.Layout({"c": (1, 3)})
    affine_in_controls = True

    def __call__(self, t, x, u):
        return x ** [0, 1, 2] @ u["c"].T

    def linearize(self, t, x, u):
        powers, slope = x ** [0, 1, 2], u["c"][0, 1] + 2 * u["c"][0, 2] * x
        return powers @ u["c"].T, occore.Products(
            jvp=lambda dx, du: slope * dx + powers @ du["c"].T,
            vjp=lambda py: (slope * py, {"c": py.T @ powers}),
        )


@occore.hookimpl
def occore_register(registry):
    registry.dynamics("polynomial", Polynomial)
