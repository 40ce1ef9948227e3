"""What an engine is started for."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

__all__ = ["EngineRequest"]


class EngineRequest(BaseModel):
    """A set-up to own; travels as JSON on the command line of the engine's process.

    Attributes:
        setup: Set-up file.
        simulate: Whether every instrument is replaced by its simulator, on the wall clock.
        sample: Sample file instead of the one that the set-up names.
        dot: The dot on the optical axis of the simulation.
        seed: Seed of everything random in the simulated set-up.
        speed: Clock seconds per second of life of a simulated set-up.
        out: Folder for runs instead of the set-up's ``data_root``.
        changes: ``key=value`` changes of the set-up, as on the command line.
        idle_min: So long without a window and without a run, the engine ends, min.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    setup: Path
    simulate: bool = False
    sample: Path | None = None
    dot: str = ""
    seed: int = 0
    speed: float = 1.0
    out: Path | None = None
    changes: tuple[str, ...] = ()
    idle_min: float = 30.0
