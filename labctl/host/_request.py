"""What a host is asked to run; travels as JSON to an engine in a child process."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

__all__ = ["RunRequest"]


class RunRequest(BaseModel):
    """One run of a recipe on a set-up.

    Attributes:
        setup: Set-up file.
        recipe: Recipe file.
        simulate: Whether every instrument is replaced by its simulator.
        sample: Sample file instead of the one that the set-up names.
        dot: Dot instead of the one that the recipe names.
        seed: Seed of everything random in the simulated set-up.
        speed: None: virtual time; else clock seconds per second of life (simulated set-up only).
        out: Folder for runs instead of the set-up's ``data_root``.
        world_port: Port of a world in its own process, and ``world_key`` its secret.
        changes: ``key=value`` changes of the set-up, as on the command line.
        user: Who measures, for the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    setup: Path
    recipe: Path
    simulate: bool = False
    sample: Path | None = None
    dot: str | None = None
    seed: int = 0
    speed: float | None = None
    out: Path | None = None
    world_port: int | None = None
    world_key: str = ""
    changes: tuple[str, ...] = ()
    user: str = ""
