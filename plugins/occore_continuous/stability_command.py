"""occore stability-region: the stability regions of methods, in one picture."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("stability-region", short_help="Draw where steps of methods are stable.")
@click.argument("names", metavar="METHOD...", nargs=-1, required=True)
@click.argument("png", metavar="PNG", type=click.Path(path_type=Path))
def command(names: tuple[str, ...], png: Path) -> int:
    """Draw the h λ at which steps of dx/dt = λ x do not grow, for each METHOD.

    \b
    occore stability-region forward_euler bosh3 rk4 leapfrog regions.png
    """
    from occore import load_host, require, save_figure
    from occore_continuous.stability_region import plot_stability_region

    figure_module = require("matplotlib.figure", extra="plot", purpose="to draw a figure")
    registry = load_host().registry
    methods = {name: registry["discretization", name].cls() for name in names}
    figure = figure_module.Figure(figsize=(6, 6), layout="constrained")
    axes = figure.subplots()
    for place, (name, method) in enumerate(methods.items()):
        plot_stability_region(method, axes, color=f"C{place}", label=name)
    axes.legend(loc="upper right", fontsize=9)
    axes.set_title("stability regions: |R(z)| ≤ 1, z = h λ")
    save_figure(figure, png)
    click.echo(f"wrote {png}")
    return 0
