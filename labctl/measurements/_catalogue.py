"""The measurement ``catalogue``: dots keep their names from map to map and cooldown to cooldown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import NamedDots, name_dots
from labctl.errors import AnalysisError, ConfigError, Problem
from labctl.measurements._context import Array, Context
from labctl.measurements._dots import DOTS, FoundDot, stored_dots
from labctl.measurements._measurement import Again, Measurement
from labctl.units import Degrees, Micrometers

__all__ = ["CATALOGUE", "Catalogue"]

CATALOGUE = "dots"
"""Name under which catalogues are kept, as calibrations are: dated files, one in force."""

_COPIED = ("brightness_hz", "snr", "confidence")


class Catalogue(Measurement):
    """Names the dots that were found last by the catalogue of the sample, and keeps it.

    The constellation of the dots is looked for in the catalogue. Dots that are found again get
    their names back, others get new ones; what should be there and is not is said. Dots of a later
    step ``dots`` have these names. Without a catalogue of the sample one is begun.

    Places in the catalogue are those of the first time; how the sample lies against that is stored
    each time, and of each dot where it was seen and how bright. The light that falls on a dot while
    it is gone to and measured is added up from run to run, when a run ends (``dose_uj_cm2``).

    Attributes:
        sample: The piece of sample; each has a catalogue of its own.
        tolerance_um: Largest distance between two places of one dot after shift and rotation, um.
        rotation_deg: Largest rotation of the sample since the first time, either way, deg.
        scale: Largest change of the scale since then, e.g. by a new calibration of the picture.
    """

    kind: ClassVar[str] = "catalogue"

    sample: str = Field(min_length=1, description="like 'sample: chip 12, corner B'")
    tolerance_um: Micrometers = Field(0.4, gt=0)
    rotation_deg: Degrees = Field(5.0, ge=0, le=45)
    scale: float = Field(0.03, ge=0, le=0.2)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            sample: str,
            tolerance: str = "0.4 um",
            rotation: str = "5 deg",
            scale: float = 0.03,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``tolerance="0.4 um"``."""

    def once_more(self) -> Again:
        """Return that names are given once: what follows rests on them."""
        return "never"

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return 0.1

    def run(self, context: Context) -> None:
        """Match, rename, keep the catalogue, store the point.

        Raises:
            ConfigError: No dots were looked for in this run.
            AnalysisError: The constellation is not found, or fits at several places; nothing is
                renamed or kept then.
        """
        if not context.found_dots:
            what = "a catalogue needs dots that were found earlier in the run"
            raise ConfigError([Problem(what, hint="put 'map: {find: true, …}' before")])
        seen = stored_dots(context.found_dots)
        known = context.calibrations.get(CATALOGUE, {}).get(self.sample)
        named = None if known is None else self._match(known, seen)
        dots = seen if named is None else _renamed(seen, named)
        now = context.clock.utc().isoformat()
        record = _updated(known or {}, dots, named, now)
        named_dots = {DOTS: [dot.as_setting() for dot in dots], "sample": self.sample}
        context.found(DOTS, {**context.found_dots, **named_dots})
        context.calibrated(CATALOGUE, self.sample, record)
        self._tell(context, named, len(dots))
        context.store(
            _arrays(dots, named),
            settings={"catalogue": {"sample": self.sample, **record["looks"][-1]}},
            live_time_s=0.0,
            brief=f"{len(dots)} dots, {len(record['dots'])} in the catalogue",
        )

    def _match(self, known: Mapping[str, Any], seen: Sequence[FoundDot]) -> NamedDots:
        entries: Mapping[str, Mapping[str, Any]] = known["dots"]
        places = np.array([[dot["x_um"], dot["y_um"]] for dot in entries.values()])
        try:
            return name_dots(
                tuple(entries),
                places,
                _places(seen),
                self.tolerance_um,
                largest_rotation_deg=self.rotation_deg,
                scale_range=(1.0 - self.scale, 1.0 + self.scale),
            )
        except AnalysisError as error:
            hint = "map a larger part of the sample; is it this sample?"
            message = f"catalogue of {self.sample!r}: {error}; nothing was named; {hint}"
            raise AnalysisError(message) from error

    def _tell(self, context: Context, named: NamedDots | None, number: int) -> None:
        if named is None:
            context.message("info", self.kind, f"begun for {self.sample!r} with {number} dots")
            return
        again = number - len(named.new)
        context.message("info", self.kind, f"{again} dots of {self.sample!r} are found again")
        if named.new:
            context.message("info", self.kind, f"new: {', '.join(named.new)}")
        if named.missing:
            context.message("warning", self.kind, f"missing: {', '.join(named.missing)}")


def _places(dots: Sequence[FoundDot]) -> NDArray[np.float64]:
    return np.array([[dot.x_um, dot.y_um] for dot in dots]).reshape(-1, 2)


def _renamed(dots: Sequence[FoundDot], named: NamedDots) -> list[FoundDot]:
    return [replace(dot, name=name) for dot, name in zip(dots, named.names, strict=True)]


def _updated(
    known: Mapping[str, Any], dots: Sequence[FoundDot], named: NamedDots | None, now: str
) -> dict[str, Any]:
    """Return the catalogue with what was seen now, plain JSON values."""
    entries = {name: dict(entry) for name, entry in known.get("dots", {}).items()}
    places = _places(dots) if named is None else named.places
    for dot, (x_um, y_um) in zip(dots, places.tolist(), strict=True):
        before = entries.get(dot.name, {"x_um": x_um, "y_um": y_um, "first_seen": now})
        sighting = {
            "at": now,
            "seen_x_um": dot.x_um,
            "seen_y_um": dot.y_um,
            "moved_x_um": x_um - before["x_um"],
            "moved_y_um": y_um - before["y_um"],
            "brightness_hz": dot.brightness_hz,
        }
        latest = {name: getattr(dot, name) for name in _COPIED}
        history = [*before.get("history", []), sighting]
        entries[dot.name] = {**before, **latest, "last_seen": now, "history": history}
    looks = [*known.get("looks", []), _look(named, len(dots), now)]
    return {"calibrated_at": now, "dots": entries, "looks": looks}


def _look(named: NamedDots | None, number: int, now: str) -> dict[str, Any]:
    """Return how the sample lay this time."""
    if named is None:
        return {"at": now, "seen": number, "again": 0, "new": [], "missing": [], "elsewhere": []}
    match = named.match
    return {
        "at": now,
        "seen": number,
        "again": int(named.known.sum()),
        "new": list(named.new),
        "missing": list(named.missing),
        "elsewhere": list(named.elsewhere),
        "rotation_deg": match.rotation_deg.value,
        "rotation_error_deg": match.rotation_deg.error,
        "scale": match.scale.value,
        "scale_error": match.scale.error,
        "shift_x_um": match.shift_x.value,
        "shift_y_um": match.shift_y.value,
        "rms_um": match.rms,
        "confidence": match.confidence,
    }


def _arrays(dots: Sequence[FoundDot], named: NamedDots | None) -> list[Array]:
    places = _places(dots) if named is None else named.places
    known = np.zeros(len(dots), np.uint8) if named is None else named.known.astype(np.uint8)
    return [
        Array("place", places, "um", ("dot", "axis")),
        Array("seen", _places(dots), "um", ("dot", "axis")),
        Array("brightness", np.array([d.brightness_hz for d in dots]), "Hz", ("dot",)),
        Array("known", known, "1", ("dot",)),
    ]
