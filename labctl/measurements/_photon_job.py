"""What is to be taken of photons, and what has come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from labctl.measurements._context import Grown
from labctl.measurements._stop import Stop
from labctl.photons import Analysis, PhotonBooks, PhotonPipeline, Stream
from labctl.roles import PhotonCounter, TaggerFlags, TaggerSettings, TimeTagger

__all__ = ["Job", "OnOverrun", "Part"]

OnOverrun = Literal["bank", "flag", "abort"]

Live = Callable[["Job", Sequence[Analysis]], dict[str, float]]
Lead = Callable[["Part", Callable[[], None]], None]
"""Moves something while photons come in, and says by its argument when to read them."""


@dataclass(frozen=True)
class Job:
    """What is to be taken.

    Attributes:
        tagger: The module.
        settings: How it is set.
        detectors: The detectors that count.
        stop: When it ends.
        make: Returns the analyses of a new part of the stream.
        live: Returns what has come out so far; ``relative_error`` is heeded by the stop rule.
        grown: Returns what the parts have come to so far, for displays.
        armed: Is called when the module is set and before any light is let in.
        light: Whether excitation light is let in.
        spectrograph: How the spectrograph stands; empty without one.
        fluence_uj_cm2: Peak fluence of the excitation, uJ/cm²; None: not known.
        lead: Moves the sample, and lets the light in, while photons come: the acquisition ends
            when it returns. None: nothing moves.
        on_overrun: What becomes of the point when the buffer of the module runs full.
    """

    tagger: TimeTagger
    settings: TaggerSettings
    detectors: tuple[PhotonCounter, ...]
    stop: Stop
    make: Callable[[Stream], Sequence[Analysis]]
    live: Live = lambda _job, _analyses: {}
    grown: Callable[["Job", Sequence["Part"]], Grown] = lambda _job, _parts: Grown(())
    armed: Callable[["Job"], None] = lambda _job: None
    light: bool = True
    spectrograph: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fluence_uj_cm2: float | None = None
    lead: Lead | None = None
    on_overrun: OnOverrun = "bank"

    def counted(self, books: PhotonBooks) -> dict[str, int]:
        """Return the photons of each detector."""
        code = self.tagger.channel_of
        return {d.name: books.photons.get(code(d.channel), 0) for d in self.detectors}


@dataclass
class Part:
    """Photons between one start and one stop of the module.

    Attributes:
        path: The raw records.
        pipeline: Its books and analyses.
        live_s: Time in which photons were taken, s.
        stopped: The rule that ended it; empty: a pause.
        flags: What the module said.
        dark_hz: Rate of each detector before the light was let in, Hz.
    """

    path: Path
    pipeline: PhotonPipeline
    live_s: float = 0.0
    stopped: str = ""
    flags: TaggerFlags = field(default_factory=TaggerFlags)
    dark_hz: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def books(self) -> PhotonBooks:
        """Return what came."""
        return self.pipeline.books()
