"""``labctl rehearse``: a recipe on the simulated set-up, in virtual time, leaving nothing."""

from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from labctl.cli._options import Recipe, Sample, Seed, SetupFile
from labctl.cli._run import carry_out
from labctl.cli._say import FAILED, screen
from labctl.host import RunRequest
from labctl.storage import read_run

__all__ = ["rehearse"]


def rehearse(
    recipe: Recipe,
    setup: SetupFile,
    sample: Sample = None,
    seed: Seed = 0,
) -> None:
    """Try a recipe on the simulated set-up: does it end, how long does it take, what is said."""
    with TemporaryDirectory(prefix="labctl-rehearsal-") as folder:
        request = RunRequest(
            setup=setup, recipe=recipe, simulate=True, sample=sample, seed=seed, out=Path(folder)
        )
        outcome = carry_out(request)
        run = read_run(outcome.product or outcome.journal)
        said = [event for event in run.events if event.level in ("warning", "error")]
        points = int(run.points.sizes.get("point", 0))
        status, reason = outcome.outcome.status, outcome.outcome.reason
        screen().print(f"{status}: {points} points, {len(said)} warnings {reason}".rstrip())
    if status != "complete":
        raise typer.Exit(FAILED)
