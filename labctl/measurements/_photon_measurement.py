"""What all measurements of photons have in common: path, detectors, module, and the books."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from labctl.errors import ConfigError, Problem, RefusedError
from labctl.measurements._acquire import acquire
from labctl.measurements._context import Array, Context, Grown
from labctl.measurements._dispersion import tune
from labctl.measurements._live_fit import irf_key
from labctl.measurements._measurement import Measurement
from labctl.measurements._optical_table import OpticalTable
from labctl.measurements._paths import take_path
from labctl.measurements._photon_books import photon_books, quality_of
from labctl.measurements._photon_job import Job, OnOverrun, Part
from labctl.measurements._settings import (
    filter_settings,
    laser_settings,
    present_fluence_uj_cm2,
    spectrograph_settings,
)
from labctl.measurements._spectrum import PEAK_NM
from labctl.measurements._stop import Stop
from labctl.photons import Analysis, Stream
from labctl.roles import PhotonCounter, Spectrograph, TaggerSettings, TimeTagger
from labctl.units import GroovesPerMm, Nanometers, Picoseconds

__all__ = ["PhotonMeasurement", "behind_spectrograph", "binning_for", "codes"]

_SETUP_S = 3.0


class PhotonMeasurement(Measurement):
    """Time tags of one point: every photon is kept in a PTU file beside the run.

    Attributes:
        stop: When it ends.
        path: Light path; None: the one that this kind of measurement takes by itself.
        detectors: Names of the detectors; None: as many as are needed, in the set-up's order.
        grating_per_mm: Groove density of the grating, 1/mm, 0 for a mirror; None: the one in use.
        center_nm: Wavelength at the exit slit, nm; None: where it is.
        at_peak: Go to the maximum of the last spectrum of this run instead.
        mode: Records with delays after the laser's pulse (``t3``) or with absolute times (``t2``).
        bin_ps: Widest accepted delay bin, ps; None: the finest that covers the laser's period.
        sync_divider: Divider of the laser's sync in front of the module.
        on_overrun: What becomes of the point when the buffer of the module runs full. Always, what
            had come is kept and flagged. ``flag``: that is the point. ``bank``: what is left of it
            is taken in a second part; if that runs full, too, it ends the point. ``abort``: then
            the step fails. None: ``bank``.
    """

    needs: ClassVar[tuple[str, ...]] = ("time_tagger", "photon_counter", "shutter")
    default_path: ClassVar[str] = "apd"
    wanted: ClassVar[int | None] = 1
    """How many detectors it takes; None: all at the module."""

    stop: Stop = Field(description="like 'stop: {counts: 20000, at_most: 60 s}'")
    path: str | None = None
    detectors: tuple[str, ...] | None = Field(None, min_length=1)
    grating_per_mm: GroovesPerMm | None = Field(None, ge=0)
    center_nm: Nanometers | None = Field(None, ge=0)
    at_peak: bool = False
    mode: Literal["t2", "t3"] = "t3"
    bin_ps: Picoseconds | None = Field(None, gt=0)
    sync_divider: int = Field(1, ge=1)
    on_overrun: OnOverrun | None = None

    @model_validator(mode="after")
    def _one_wavelength(self) -> Self:
        if self.at_peak and self.center_nm is not None:
            message = "center and at_peak are two wavelengths; remove one of them"
            raise ValueError(message)
        return self

    @abstractmethod
    def make(self, stream: Stream, channels: tuple[int, ...]) -> Sequence[Analysis]:
        """Return the analyses of a part of the stream; ``channels`` are those of the detectors."""

    @abstractmethod
    def arrays(self, context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
        """Return what is stored of all parts together."""

    def live(self, context: Context, job: Job, analyses: Sequence[Analysis]) -> dict[str, float]:
        """Return what has come out so far; ``relative_error`` is heeded by the stop rule."""
        del context, job, analyses
        return {}

    def grown(self, context: Context, job: Job, parts: Sequence[Part]) -> Grown:
        """Return what is shown while photons come in: what would be stored now."""
        return Grown(self.arrays(context, job, parts))

    def armed(self, context: Context, job: Job) -> None:
        """Say what stands against the measurement; the module is set, no light is let in yet."""
        del context, job

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return _SETUP_S + self.stop.estimate_s()

    def run(self, context: Context) -> None:
        """Take the path, tune, take photons until a rule is met, store the point."""
        self.finish(context, *self.take(context))

    def take(self, context: Context) -> tuple[Job, list[Part], dict[str, Any]]:
        """Take photons; returns the job, its parts and the settings that stood before."""
        tagger = context.station.only(TimeTagger, prefer="tagger")
        detectors = self._detectors(context, tagger)
        names = [detector.name for detector in detectors]
        path = take_path(context, self.path, self.default_path, names)
        standing: dict[str, Any] = {
            "path": path,
            "spectrograph": self._tuned(context, path),
            **filter_settings(context),
        }
        job = self._job(context, tagger, detectors, standing["spectrograph"])
        return job, acquire(context, job), standing

    def finish(
        self, context: Context, job: Job, parts: Sequence[Part], standing: Mapping[str, Any]
    ) -> None:
        """Store the point."""
        books = photon_books(job, parts, context.table.laser)
        for text in books["doubts"]:
            context.message("warning", job.tagger.name, text)
        live_s = sum(part.live_s for part in parts)
        context.store(
            self.arrays(context, job, parts),
            settings={
                **standing,
                **self._settings(context, job, parts),
                "photons": books,
            },
            live_time_s=live_s,
            quality=quality_of(job, parts),
            brief=f"{books['counts']} photons in {live_s:.1f} s ({parts[-1].stopped})",
        )

    def _behind_spectrograph(self, context: Context) -> bool:
        return behind_spectrograph(context, self.path or self.default_path)

    def _wants_colour(self) -> bool:
        return self.grating_per_mm is not None or self.center_nm is not None or self.at_peak

    def _tuned(self, context: Context, path: Mapping[str, Any]) -> dict[str, Any]:
        station = context.station
        if not _has_spectrograph(context):
            if not self._wants_colour():
                return {}
            what = "grating and center need a spectrograph, and the set-up has none"
            raise ConfigError([Problem(what)])
        if not self._behind_spectrograph(context):
            if not self._wants_colour():
                return {}
            what = f"the light path {path['name']!r} does not lead through the spectrograph"
            raise ConfigError([Problem(what, hint="remove grating, center and at_peak")])
        spectrograph = station.only(Spectrograph, prefer="spectrograph")
        centre_nm = _peak_nm(context) if self.at_peak else self.center_nm
        tune(context, spectrograph, self.grating_per_mm, centre_nm)
        return spectrograph_settings(spectrograph)

    def _job(
        self,
        context: Context,
        tagger: TimeTagger,
        detectors: tuple[PhotonCounter, ...],
        spectrograph: Mapping[str, Any],
    ) -> Job:
        settings = TaggerSettings(
            mode=self.mode,
            acquisition_s=math.ceil(1000.0 * self.stop.longest_s) / 1000.0,
            binning=self._binning(context, tagger),
            sync_divider=self.sync_divider,
        )
        return Job(
            tagger=tagger,
            settings=settings,
            detectors=detectors,
            stop=self.stop,
            make=lambda stream: self.make(stream, codes(tagger, detectors)),
            live=lambda job, analyses: self.live(context, job, analyses),
            grown=lambda job, parts: self.grown(context, job, parts),
            armed=lambda job: self.armed(context, job),
            spectrograph=spectrograph,
            fluence_uj_cm2=present_fluence_uj_cm2(context),
            on_overrun=self.on_overrun or "bank",
        )

    def _detectors(self, context: Context, tagger: TimeTagger) -> tuple[PhotonCounter, ...]:
        station = context.station
        if self.detectors is not None:
            found = [station.get(name, PhotonCounter) for name in self.detectors]
        else:
            every = [station[name] for name in station]
            found = [d for d in every if isinstance(d, PhotonCounter) and d.tagger == tagger.name]
            found = found[: self.wanted]
        if self.wanted is not None and len(found) != self.wanted:
            names = ", ".join(d.name for d in found) or "none"
            what = f"{self.kind} takes {self.wanted} detectors, not {len(found)} ({names})"
            raise ConfigError([Problem(what, hint="name them: 'detectors: [apd_1, …]'")])
        strangers = [d.name for d in found if d.tagger != tagger.name]
        if strangers:
            raise RefusedError(strangers[0], f"its pulses do not go to {tagger.name}")
        return tuple(found)

    def _binning(self, context: Context, tagger: TimeTagger) -> int:
        if self.mode == "t2":
            return 0
        if self.bin_ps is not None:
            base_ps = tagger.base_resolution_ps()
            if self.bin_ps < base_ps:
                what = f"delay bins of {self.bin_ps:g} ps"
                raise RefusedError(tagger.name, what, f"the finest are {base_ps:g} ps")
            return math.floor(math.log2(self.bin_ps / base_ps) + 1e-9)
        return binning_for(context.table, tagger)

    def _settings(self, context: Context, job: Job, parts: Sequence[Part]) -> dict[str, Any]:
        return {
            "tagger": {
                **job.tagger.describe(),
                **asdict(job.settings),
                "delay_bin_ps": job.tagger.delay_bin_ps(),
                "warnings": list(job.tagger.warnings()),
            },
            "detectors": {
                d.name: {**asdict(d.facts), "input": d.channel, "code": c}
                for d, c in zip(job.detectors, codes(job.tagger, job.detectors), strict=True)
            },
            "laser": laser_settings(context),
            "calibration": {"irf": _irf_in_force(context, job)},
            "stop": {
                **self.stop.model_dump(exclude_none=True, mode="json", by_alias=True),
                "met": parts[-1].stopped,
            },
        }


def behind_spectrograph(context: Context, path: str) -> bool:
    """Return whether the light of a path goes through a spectrograph; without a path it does."""
    if not _has_spectrograph(context):
        return False
    if path not in context.table.paths:
        return True
    spectrograph = context.station.only(Spectrograph, prefer="spectrograph")
    return any(part.split(".")[0] == spectrograph.name for part in context.table.path(path))


def _has_spectrograph(context: Context) -> bool:
    station = context.station
    return any(isinstance(station[name], Spectrograph) for name in station)


def binning_for(table: OpticalTable, tagger: TimeTagger) -> int:
    """Return the finest binning whose delays cover the laser's period; 0 if that is unknown."""
    base_ps, laser = tagger.base_resolution_ps(), table.laser
    if laser is None or laser.rep_rate_hz is None:
        return 0
    # Records count the pulses before the divider, and so do their delays.
    period_ps = 1e12 / laser.rep_rate_hz
    return max(0, math.ceil(math.log2(period_ps / (base_ps * tagger.delay_bins())) - 1e-9))


def _irf_in_force(context: Context, job: Job) -> dict[str, Any]:
    """Return by detector under which key its IRF is kept, and when it was taken."""
    known = context.calibrations.get("irf", {})
    keys = {d.name: irf_key(d.name, job.spectrograph) for d in job.detectors}
    return {
        name: {"key": key, "taken": known[key]["taken"]}
        for name, key in keys.items()
        if key in known
    }


def _peak_nm(context: Context) -> float:
    """Return where the last spectrum has its maximum, nm; journalled, because light is let in."""
    peak_nm = context.remembered(PEAK_NM)
    if peak_nm is None:
        what = "at_peak needs a spectrum earlier in the run"
        raise ConfigError([Problem(what, hint="put a step 'spectrum' before, or give a center")])
    context.found("peak", {"wavelength_nm": peak_nm})
    return peak_nm


def codes(tagger: TimeTagger, detectors: Sequence[PhotonCounter]) -> tuple[int, ...]:
    """Return the channel codes of detectors in the module's records."""
    return tuple(tagger.channel_of(d.channel) for d in detectors)
