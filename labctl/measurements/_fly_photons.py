"""The photons of a map on the fly: one acquisition with all lines, kept as any other."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr

from labctl.measurements._context import Array, Context
from labctl.measurements._counting import Counting
from labctl.measurements._fly import TURN_S, Flight
from labctl.measurements._photon_job import Job, Part
from labctl.measurements._photon_measurement import PhotonMeasurement
from labctl.photons import Analysis, LineCounts, Stream
from labctl.roles import PhotonCounter, TimeTagger

__all__ = ["FlyPhotons"]


class FlyPhotons(PhotonMeasurement):
    """The photons of a map on the fly, of one detector; not a word of recipes."""

    kind: ClassVar[str] = "map"
    _flight: Flight = PrivateAttr()
    _facts: Mapping[str, Any] = PrivateAttr()

    @classmethod
    def of(cls, counting: Counting, facts: Mapping[str, Any], flight: Flight) -> Self:
        """Take what is asked for; ``facts`` are stored as the settings of the map."""
        laser = flight.context.table.laser
        pulsed = laser is not None and laser.rep_rate_hz is not None
        rows, columns = flight.area.shape
        longest_s = 60.0 + 10.0 * rows * columns * (flight.dwell_s + TURN_S)
        found = cls.model_validate(
            {
                "stop": {"at_most": f"{longest_s:.0f} s"},
                "path": counting.path,
                "detectors": [counting.counter] if counting.counter else None,
                "grating": _text(counting.grating_per_mm, "/mm"),
                "center": _text(counting.wavelength_nm, "nm"),
                "mode": "t3" if pulsed else "t2",
            }
        )
        return found.led_by(flight, facts)

    def led_by(self, flight: Flight, facts: Mapping[str, Any]) -> Self:
        """Take photons while a flight moves the sample."""
        self._flight, self._facts = flight, facts
        return self

    def make(self, stream: Stream, channels: tuple[int, ...]) -> Sequence[Analysis]:
        """Sort by lines and pixels."""
        return [LineCounts(stream, channels, self._flight.marker)]

    def arrays(self, context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
        """Return the image."""
        del context, job, parts
        return self._flight.arrays()

    def _job(
        self,
        context: Context,
        tagger: TimeTagger,
        detectors: tuple[PhotonCounter, ...],
        spectrograph: Mapping[str, Any],
    ) -> Job:
        job = super()._job(context, tagger, detectors, spectrograph)
        self._flight.detector = detectors[0]
        # The light is let in tile by tile.
        return replace(job, light=False, lead=self._flight.lead)

    def _settings(self, context: Context, job: Job, parts: Sequence[Part]) -> dict[str, Any]:
        return {**super()._settings(context, job, parts), "map": dict(self._facts)}


def _text(value: float | None, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"
