"""What `occore inspect --plot` draws of a run of this topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from occore import Run

MOST_COEFFICIENTS = 12
"""Curves of coefficients that one panel can hold."""

CRITERIA = {
    "l_curve": "curvature of the L-curve",
    "gcv": "generalised cross-validation",
    "leave_one_out": "leave-one-out square error",
    "discrepancy": "residual norm",
    "validation": "square error in validation",
}


def figure(run: Run) -> Callable[[Any], None] | None:
    """How to draw the run, if it is one of a path of λ or of a picture."""
    names = {row.path for row in run.tree()}
    if "result/path/lambda" in names:
        return lambda panel: draw_path(run.result["path"], panel)
    if "data/picture" in names:
        return lambda panel: draw_pictures(run, panel)
    return None


def draw_path(path: dict[str, Any], panel: Any) -> None:
    """The L-curve, what decided on λ, and the coefficients; the choice is marked in each."""
    layout = [["curve", "criterion"], ["curve", "coefficients"]]
    places = panel.subplot_mosaic(layout)
    lambdas, chosen = path["lambda"], path["chosen"]
    residual, seminorm = path["residual_norm"], path["seminorm"]
    axes = places["curve"]
    axes.plot(residual, seminorm, marker=".")
    axes.plot(residual[chosen], seminorm[chosen], "o", color="C3", label="chosen λ")
    if np.any(path["curvature"] > 0):
        corner = int(np.nanargmax(path["curvature"]))
        at = residual[corner], seminorm[corner]
        axes.plot(*at, "ks", markersize=9, markerfacecolor="none", label="corner")
    axes.set(xlabel="residual norm", ylabel="seminorm", title="L-curve")
    _logarithmic_over_decades(axes, residual, seminorm)
    axes.legend()
    axes = places["criterion"]
    axes.semilogx(lambdas, path["criterion"])
    axes.plot(lambdas[chosen], path["criterion"][chosen], "o", color="C3")
    axes.set_title(CRITERIA.get(path["choose"], path["choose"]), fontsize="medium")
    _logarithmic_over_decades(axes, None, path["criterion"])
    axes = places["coefficients"]
    name, coefficients = _coefficients(path["controls"])
    if coefficients.shape[1] <= MOST_COEFFICIENTS:
        axes.semilogx(lambdas, coefficients)
        axes.axvline(lambdas[chosen], color="C3", linewidth=0.8)
        axes.set_xlabel("λ")
        axes.set_title(f"{name} against λ", fontsize="medium", parse_math=False)
    else:
        axes.plot(coefficients[chosen], color="C3")
        axes.set_xlabel("index")
        axes.set_title(f"{name} at the chosen λ", fontsize="medium", parse_math=False)


def _coefficients(controls: dict[str, Any]) -> tuple[str, np.ndarray]:
    """The largest control along the path, (q, entries)."""
    paths = {f"{phase}/{n}": u for phase, named in controls.items() for n, u in named.items()}
    name = max(paths, key=lambda name: paths[name].size)
    return name, paths[name].reshape(len(paths[name]), -1)


def _logarithmic_over_decades(axes: Any, x: np.ndarray | None, y: np.ndarray) -> None:
    """Logarithmic axes where positive values span a decade; labels of less are a crowd."""
    for values, scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
        if values is not None and np.min(values) > 0 and np.max(values) > 10 * np.min(values):
            scale("log")


def draw_pictures(run: Run, panel: Any) -> None:
    """The picture as it was, what was known of it, what was restored, and the error of that."""
    original, known = run["data/picture"], run["data/known"].astype(bool)
    restored = restored_picture(run, original.shape)
    lost = ~known
    shown = (
        (f"original, {original.shape[0]} × {original.shape[1]}", original),
        (f"given: {np.mean(known):.0%} of the pixels", np.where(known[..., None], original, 1.0)),
        (f"restored, PSNR {psnr(restored, original):.1f} dB", restored),
        (
            f"error, {psnr(restored[lost], original[lost]):.1f} dB on lost pixels",
            np.mean(np.abs(restored - original), axis=2),
        ),
    )
    for axes, (title, picture) in zip(panel.subplots(2, 2).flat, shown, strict=True):
        axes.imshow(np.clip(picture.squeeze(), 0, 1), cmap="gray", vmin=0, vmax=1)
        axes.set_axis_off()
        axes.set_title(title, fontsize="medium")


def restored_picture(run: Run, shape: tuple[int, ...]) -> np.ndarray:
    """The control that is the picture, (rows, columns, channels)."""
    size = int(np.prod(shape))
    controls = (u for named in run.controls.values() for u in named.values())
    return next(u.T.reshape(shape) for u in controls if u.size == size)


def psnr(picture: np.ndarray, original: np.ndarray) -> float:
    """Peak signal to noise ratio in dB of a picture with values in [0, 1]."""
    return float(-10 * np.log10(np.mean((picture - original) ** 2)))
