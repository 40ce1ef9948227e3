"""Photon pairs straight from the world's photon streams, without wire, drivers or files.

What the analysis gets is what a set-up would know: counted photons, readings of rates without
light, settings as believed, and responses that were taken of scattered laser light. The world's
truth is used for the comparison alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Irf
from labctl.clock import EventQueue
from labctl.host import seeder
from labctl.photons import Analysis, PhotonBlock, PulsedDelaysResult, RecordType, Stream
from labctl.results import PairCounters, PairRecords, StoredPhotons, near_delays
from labctl_sim.sample import Sample
from labctl_sim.world import LaserTruth, World
from labctl_sim.world.photons import Apd, ApdTruth, Bench, Input, PulseModel, Run

__all__ = [
    "CRYOGENIC",
    "ROOM",
    "BunchingTruth",
    "PairBench",
    "PairSetup",
    "PairTruth",
    "bunching_truth",
    "pair_truth",
]

PERIOD_PS = 100_000
FULL_UJ_CM2 = 12.0
_LASER = LaserTruth(
    wavelength_nm=405.0, rep_rate_hz=1e7, spot_1e2_diameter_um=2.4, peak_fluence_uj_cm2=FULL_UJ_CM2
)
_ELECTRONICS_SD_PS = 10.0
_METER_S = 0.1
_SETTLE_S = 1800.0
_NAMES = ("apd_1", "apd_2")
_BAND = " superlattice"


@dataclass(frozen=True)
class PairSetup:
    """Two detectors behind a splitter.

    Attributes:
        truth: Of each detector; its test sheet says the same.
        cold: Whether the sample is in a cryostat at 4 K, and detectors behind a spectrograph.
        bin_ps: Width of a delay bin.
        scattered: Photons per pulse that a scatterer sends to the detectors.
    """

    truth: ApdTruth
    cold: bool
    bin_ps: int
    scattered: float


CRYOGENIC = PairSetup(ApdTruth(), cold=True, bin_ps=4, scattered=12.0)
ROOM = PairSetup(
    ApdTruth(
        curve="spcm", efficiency=0.55, dark_rate_hz=100.0, dead_time_ns=24.0,
        jitter_fwhm_ps=350.0, afterpulse_probability=0.005, limit_mhz=37.0,
        light_path="direct", throughput_rel=0.28,
    ),
    cold=False, bin_ps=80, scattered=1.2,
)  # fmt: skip


@dataclass(frozen=True)
class PairTruth:
    """What the world really was.

    Attributes:
        g2_zero: Of the neutral dot, by the closed form of its cascade behind both light paths.
        yield_ratio: Detected photons of the biexciton over those of the exciton, per excitation.
        rate_max_hz: Exciton photons of both detectors per second at full saturation.
        p_sat_w_cm2: Power of one excitation per pulse.
        taus_ns: Lifetimes of exciton and biexciton.
    """

    g2_zero: float
    yield_ratio: float
    rate_max_hz: float
    p_sat_w_cm2: float
    taus_ns: tuple[float, float]


@dataclass(frozen=True)
class BunchingTruth:
    """What the world really was in front of the detectors, all its light together.

    Attributes:
        g2_zero: Pairs of one pulse over those of uncorrelated light of the same rates.
        bunching_ns: Decay time of the bunched light.
    """

    g2_zero: float
    bunching_ns: float


def pair_truth(world: World, tagger: str) -> PairTruth:
    """Return the truth of a world's light path and fluence as they are, shutters open."""
    mean = world.surroundings(world.dot_name, world.now())[0].excitations
    model = _models(world, tagger)[world.dot_name]
    singles, both = _moments(model, mean)
    fluence = world.laser.peak_fluence_uj_cm2 * world.table.attenuation_rel
    rep_rate_hz = world.laser.rep_rate_hz
    return PairTruth(
        float(both / singles.prod()),
        float(sum(model.others) / sum(model.last)),
        float(sum(model.last)) * rep_rate_hz,
        1e-6 * fluence * rep_rate_hz / mean,
        (1e-3 * model.taus_ps[0], 1e-3 * model.taus_ps[1]),
    )


def bunching_truth(world: World, tagger: str) -> BunchingTruth:
    """Return the truth of a superlattice with all other light that passes; dots are neutral."""
    models = _models(world, tagger)
    singles, both = np.zeros(2), 0.0
    for name, model in models.items():
        place = name.removesuffix(_BAND)
        own, pairs = _moments(model, world.surroundings(place, world.now())[0].excitations)
        bunching = world.sample.dots[place].superlattice
        if name.endswith(_BAND) and bunching is not None:
            pairs = bunching.bunching * float(own.prod())
        both += pairs + float(own[0] * singles[1] + singles[0] * own[1])
        singles += own
    band = models[f"{world.dot_name}{_BAND}"]
    return BunchingTruth(both / float(singles.prod()), 1e-3 * band.taus_ps[0])


def _models(world: World, tagger: str) -> dict[str, PulseModel]:
    """Return the light of all sources, of neutral dots, with both shutters open."""
    bench = Bench.of(world)
    apds = bench.apds(tagger)
    shut = [apd.shutter_open for apd in apds]
    for apd in apds:
        apd.shutter_open = True
    sources = bench.look(apds, 0.0).sources
    for apd, was_open in zip(apds, shut, strict=True):
        apd.shutter_open = was_open
    return {name: source.models[0] for name, source in sources.items()}


def _moments(model: PulseModel, excitations: float) -> tuple[NDArray[np.float64], float]:
    """Return the photons of a pulse on each side, and its pairs across both, as means."""
    if model.independent:
        own = np.array(model.mean)
        return own, float(own.prod())
    numbers, weights = _numbers(excitations)
    limit = len(model.counts) if len(model.counts) == 2 else len(numbers)
    earlier = np.minimum(numbers, limit) - 1
    some, others = -math.expm1(-excitations), float(weights @ earlier)
    more = float(weights @ (earlier * (earlier - 1)))
    last, other = np.array(model.last), np.array(model.others)
    singles = last * some + other * others
    both = (last[0] * other[1] + other[0] * last[1]) * others + other[0] * other[1] * more
    return singles, float(both)


class PairBench:
    """A world with two detectors, driven by hand.

    Args:
        seed: Seed of the world.
        sample: What is mounted.
        dot: On the axis.
        setup: The detectors.
        density_rel: True optical densities of the attenuator over what its scale says.
    """

    def __init__(
        self, seed: int, sample: Sample, dot: str, setup: PairSetup, *, density_rel: float = 1.0
    ) -> None:
        self.queue, self._setup, self._density_rel = EventQueue(), setup, density_rel
        self.world = World(
            sample=sample, dot=dot, laser=_LASER, now=self.queue.now,
            schedule=self.queue.schedule, seed=seeder(seed),
        )  # fmt: skip
        self._generator = np.random.default_rng([seed, 16])
        self._bench = Bench.of(self.world)
        for channel, name in enumerate(_NAMES, 1):
            self._bench.plug_in(Apd(setup.truth, name=name, tagger="tagger", channel=channel))
        self.world.table.laser_on, self.world.table.shutter_open = True, False
        self._point, self._believed = 0, FULL_UJ_CM2
        self._irfs: dict[str, Irf] = {}
        if setup.cold:
            thermal = self.world.attach_cryostat({})
            state = self.world.attach_spectrograph({})
            state.lines_per_mm, state.blaze_nm, state.exit = 300.0, 500.0, "side"
            thermal.set_target(4.0)
            self._wait(_SETTLE_S)

    def set_fluence(self, fluence_uj_cm2: float) -> None:
        """Turn the attenuator to a peak fluence on its scale."""
        self._believed = fluence_uj_cm2
        mark = fluence_uj_cm2 / FULL_UJ_CM2
        self.world.table.attenuation_rel = mark**self._density_rel

    def tune_to_line(self) -> None:
        """Turn the grating to the strongest line."""
        self.tune_to(1239.8419843320026 / self.world.truth()["energy_ev"])

    def tune_to(self, wavelength_nm: float) -> None:
        """Turn the grating to a wavelength."""
        state = self.world.spectrograph
        state.lines_per_mm, state.blaze_nm = 300.0, 500.0
        state.centre_nm = wavelength_nm

    def use_mirror(self) -> None:
        """Put a mirror in the place of the grating."""
        self.world.spectrograph.lines_per_mm = 0.0
        self.world.spectrograph.centre_nm = 0.0

    def take_irfs(self, live_s: float) -> None:
        """Take the response of both detectors with scattered laser light."""
        self.world.put_scatterer(self._setup.scattered)
        for place, name in enumerate(_NAMES):
            events = self._events(live_s, alone=place)
            delays = (events[(events & 7) == place] >> 3) % PERIOD_PS // self._setup.bin_ps
            counts = np.bincount(delays, minlength=PERIOD_PS // self._setup.bin_ps)
            self._irfs[name] = Irf(
                bin_ps=float(self._setup.bin_ps), counts=counts.astype(np.float64), detector=name
            )
        self.world.put_scatterer(None)

    def pairs(self, live_s: float, measurement: str = "g2") -> tuple[StoredPhotons, PairRecords]:
        """Take photons; returns the point as it would be read from a run, and its pairs."""
        return self._pairs(live_s, measurement)

    def near_pairs(
        self, live_s: float
    ) -> tuple[StoredPhotons, PairRecords, PulsedDelaysResult, float]:
        """Take photons; returns also the pairs by fine delays, and the delay bin in s."""
        near = near_delays(self._stream, (0, 1))
        stored, records = self._pairs(live_s, "g2", near)
        return stored, records, near.result(), self._stream.delay_bin_s

    def _pairs(
        self, live_s: float, measurement: str, *more: Analysis
    ) -> tuple[StoredPhotons, PairRecords]:
        darks = self._generator.poisson(self._setup.truth.dark_rate_hz * _METER_S, 2) / _METER_S
        events = self._events(live_s)
        counters = PairCounters(self._stream, (0, 1))
        block = _block(events, round(live_s * 1e12) // PERIOD_PS, self._setup.bin_ps)
        for analysis in (*counters.analyses, *more):
            analysis.feed(block)
        rates = [float(((events & 7) == place).sum()) / live_s for place in (0, 1)]
        stored = self._stored(measurement, live_s, rates, [float(d) for d in darks])
        return stored, counters.records()

    @property
    def _stream(self) -> Stream:
        return Stream(RecordType.GENERIC_T3, 1e-12 * PERIOD_PS, 1e-12 * self._setup.bin_ps)

    def truth(self) -> PairTruth:
        """Return the truth of the light path and fluence as they are."""
        return pair_truth(self.world, "tagger")

    def _wait(self, seconds: float) -> None:
        end_s = self.queue.now() + seconds
        happened = True
        while happened:
            _, happened = self.queue.step(end_s)

    def _events(self, live_s: float, alone: int | None = None) -> NDArray[np.int64]:
        self.world.begin_point(str(self._point))
        self._point += 1
        apds = self._bench.apds("tagger")
        for place, apd in enumerate(apds):
            apd.shutter_open = alone in (None, place)
        self.world.table.shutter_open = True
        run = Run(
            self._bench, apds, [Input(0, 650, alive=True)] * len(apds),
            device="tagger", number=0, electronics_sd_ps=_ELECTRONICS_SD_PS,
        )  # fmt: skip
        self._wait(live_s)
        events = run.stream.until(self.queue.now(), end=True)
        run.stop()
        self.world.table.shutter_open = False
        return events

    def _stored(
        self, measurement: str, live_s: float, rates: list[float], darks: list[float]
    ) -> StoredPhotons:
        truth = self._setup.truth
        values: dict[str, Any] = {"laser.rep_rate_hz": _LASER.rep_rate_hz}
        for name, rate, dark in zip(_NAMES, rates, darks, strict=True):
            values |= _detector(name, truth, rate, dark)
        irfs: Mapping[str, Irf] = dict(self._irfs)
        return StoredPhotons(
            point=self._point - 1, measurement=measurement, label="", arrays={}, values=values,
            files=(), detectors=_NAMES, temperature_k=None, temperature_set_k=None,
            fluence_uj_cm2=self._believed, live_s=live_s, irfs=irfs, warnings=(),
        )  # fmt: skip


def _detector(name: str, truth: ApdTruth, rate_hz: float, dark_hz: float) -> dict[str, Any]:
    return {
        f"photons.detectors.{name}.count_rate_hz": rate_hz,
        f"photons.detectors.{name}.dark_rate_hz": dark_hz,
        f"detectors.{name}.dead_time_ns": truth.dead_time_ns,
        f"detectors.{name}.afterpulse_probability": truth.afterpulse_probability,
    }


def _numbers(mean: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    numbers = np.arange(1.0, math.ceil(mean + 12 * math.sqrt(mean) + 30))
    logs = np.array([math.lgamma(number + 1) for number in numbers])
    return numbers, np.exp(numbers * math.log(mean) - mean - logs)


def _block(events: NDArray[np.int64], pulses: int, bin_ps: int) -> PhotonBlock:
    times_ps = events >> 3
    none = np.zeros(0, np.int64)
    return PhotonBlock(
        records=np.zeros(0, np.uint32), time_ticks=times_ps // PERIOD_PS,
        channel=(events & 7).astype(np.uint8),
        delay_bins=(times_ps % PERIOD_PS // bin_ps).astype(np.uint16),
        marker_ticks=none, marker_bits=np.zeros(0, np.uint8), begin_tick=0, end_tick=pulses,
        overflow_records=0, overflows=0, invalid_records=0,
    ).copy()  # fmt: skip
