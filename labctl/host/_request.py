"""What a host is asked to run; travels as JSON to an engine in a child process."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

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
        resume: Folder of an interrupted run that is to be gone on with; its own recipe counts then.
        accept: Whether differences between then and now are accepted, and recorded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    setup: Path
    recipe: Path
    simulate: bool = False
    sample: Path | None = None
    dot: str | None = None
    seed: int = 0
    speed: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    out: Path | None = None
    world_port: int | None = None
    world_key: str = ""
    changes: tuple[str, ...] = ()
    user: str = ""
    resume: Path | None = None
    accept: bool = False

    def origin(self) -> dict[str, Any]:
        """Return what another process needs to ask for the same run, as JSON; no secrets."""
        absolute = {
            name: path.expanduser().absolute()
            for name in ("setup", "recipe", "sample", "out")
            if (path := getattr(self, name)) is not None
        }
        left = {"resume", "accept", "world_port", "world_key"}
        return self.model_copy(update=absolute).model_dump(mode="json", exclude=left)
