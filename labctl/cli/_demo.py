"""``labctl demo``: the main job of the set-up, from recipe to fitted numbers, on simulators."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from labctl.cli._run import carry_out, finish
from labctl.errors import ConfigError, Problem
from labctl.host import RunRequest
from labctl.results import analyze_run, save_figure
from labctl.storage import read_run

__all__ = ["configs", "demo"]


def demo(
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the run.")] = None,
) -> None:
    """Run the temperature series of the shipped configs on the simulated set-up."""
    from labctl.cli._analyze import show_analysis

    folder = configs()
    request = RunRequest(
        setup=folder / "setups" / "microscope.yaml",
        recipe=folder / "recipes" / "temperature_series.yaml",
        simulate=True,
        seed=seed,
        out=out,
    )
    report = carry_out(request)
    if report.product is not None and report.outcome.status == "complete":
        analysis = analyze_run(read_run(report.product))
        show_analysis(analysis)
        figure = save_figure(analysis, report.product.with_suffix(".png"))
        print(f"figure: {figure}")
    finish(report)


def configs() -> Path:
    """Return the folder of the shipped set-ups, recipes and samples.

    Raises:
        ConfigError: It is not beside the installed package.
    """
    package = Path(str(files("labctl")))
    for folder in (package.parent / "configs", package / "configs"):
        if folder.is_dir():
            return folder
    problem = Problem("the shipped configs are missing", str(package), "reinstall labctl")
    raise ConfigError([problem])
