"""``labctl gui`` and ``labctl engine``: the window, and the engine that it attaches to."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from labctl.cli._options import Changes, Out, Sample, Seed, SetupFile, Simulate
from labctl.cli._which_engine import At, TokenFile, far_engine
from labctl.errors import ConfigError, Problem
from labctl.host.server import EngineRequest, serve_engine
from labctl.setup import load_setup

__all__ = ["engine", "gui"]

Dot = Annotated[str, typer.Option(help="Dot on the optical axis of the simulation.")]
Speed = Annotated[
    float, typer.Option(min=0.01, help="Let simulated instruments run so many times faster.")
]
Idle = Annotated[
    float, typer.Option(help="The engine ends after so many minutes without window and run.")
]


def gui(
    setup: Annotated[Path | None, typer.Option(help="Set-up file (YAML).")] = None,
    simulate: Simulate = False,
    sample: Sample = None,
    dot: Dot = "",
    seed: Seed = 0,
    speed: Speed = 1.0,
    out: Out = None,
    changes: Changes = None,
    engine: At = "",
    token_file: TokenFile = None,
) -> None:
    """Open the window; it attaches to the engine of the set-up, or starts one.

    The engine is a process of its own and outlives the window: closing this, or killing it, leaves
    a run alone, and the next window attaches again. With --engine it is that of another computer.
    """
    far = far_engine(setup, engine, token_file)
    named = setup or Path(engine)
    request = _request(named, simulate, sample, dot, seed, speed, out, changes)
    if far is None:
        # What is wrong with the files is said here, before any window opens.
        load_setup(request.setup, sample=request.sample, changes=request.changes)
    found = entry_points(group="labctl.windows", name="default")
    if not found:
        what = "no window is installed"
        raise ConfigError([Problem(what, hint="install labctl again, with PyQt5 and pyqtgraph")])
    raise typer.Exit(next(iter(found)).load()(request, far))


def engine(
    setup: SetupFile,
    simulate: Simulate = False,
    sample: Sample = None,
    dot: Dot = "",
    seed: Seed = 0,
    speed: Speed = 1.0,
    out: Out = None,
    changes: Changes = None,
    idle: Idle = 30.0,
) -> None:
    """Run the engine of a set-up, for windows that attach, in this terminal until Ctrl-C."""
    request = _request(setup, simulate, sample, dot, seed, speed, out, changes)
    try:
        serve_engine(request.model_copy(update={"idle_min": idle}))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _request(
    setup: Path,
    simulate: bool,
    sample: Path | None,
    dot: str,
    seed: int,
    speed: float,
    out: Path | None,
    changes: list[str] | None,
) -> EngineRequest:
    return EngineRequest(
        setup=setup.expanduser().resolve(),
        simulate=simulate,
        sample=sample,
        dot=dot,
        seed=seed,
        speed=speed,
        out=None if out is None else out.expanduser().resolve(),
        changes=tuple(changes or ()),
    )
