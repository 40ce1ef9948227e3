"""Streams of a blinking dot straight from the world, without wire, drivers or files.

What the analysis gets is what a set-up would know: counted photons, and responses that were taken
of scattered laser light. The world's truth is used for the comparison alone.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.rendered_decays import sample_of
from benchmarks.rendered_pairs import ROOM
from labctl.analysis import Irf
from labctl.clock import EventQueue
from labctl.host import seeder
from labctl.results import StreamPhotons, combined_response
from labctl_sim.sample import Blinking
from labctl_sim.world import LaserTruth, World
from labctl_sim.world.photons import Apd, Bench, Dwells, Input, Run

__all__ = ["BlinkingTruth", "blinking_stream", "blinking_truth", "shares_of_an_hour"]

PERIOD_PS, BIN_PS = 100_000, 80
_DOT = "B4"
_LASER = LaserTruth(
    wavelength_nm=405.0, rep_rate_hz=1e7, spot_1e2_diameter_um=2.4, peak_fluence_uj_cm2=0.36
)
_ELECTRONICS_SD_PS = 10.0
_IRF_S = 1.0
_PIECE_S, _MOST_S = 50.0, 1000.0
_FEWEST_SWITCHES = 60
_HOUR_S = 3600.0


@dataclass(frozen=True)
class BlinkingTruth:
    """What the dot really did.

    Attributes:
        on_share: Share of this very stretch that it was ON.
        switches: How often it switched.
        rates_hz: Counts per second of both detectors while it is ON, and OFF.
        lifetimes_ns: Of the exciton while it is ON, and of the light while it is OFF.
        intensity_ratio: Light of the dot OFF over ON.
        exponent: Of the dwell times, both ON and OFF.
    """

    on_share: float
    switches: int
    rates_hz: tuple[float, float]
    lifetimes_ns: tuple[float, float]
    intensity_ratio: float
    exponent: float


def blinking_truth(world: World, tagger: str, begin_s: float, length_s: float) -> BlinkingTruth:
    """Return the truth of a stretch of a world's photons, light and path as they are.

    Args:
        world: The world.
        tagger: Its time-tagging module.
        begin_s: Time that the dot had been lit before.
        length_s: Length of the stretch.

    Raises:
        ValueError: The dot on the axis does not blink.
    """
    bench = Bench.of(world)
    law, dwells = world.dot.blinking, bench.blinking(world.dot_name)
    if law is None or dwells is None:
        msg = f"{world.dot_name} does not blink"
        raise ValueError(msg)
    apds = bench.apds(tagger)
    seen = bench.look(apds, 0.0)
    models = seen.sources[world.dot_name].models
    on, off = (math.fsum(models[k].mean) * world.laser.rep_rate_hz for k in (0, 2))
    # Every pulse of a detector is followed by another one with these chances.
    echo = apds[0].truth.afterpulse_probability + apds[0].truth.crosstalk_probability
    dark = math.fsum(seen.steady_hz)
    tau_ns = 1e-3 * models[0].taus_ps[0]
    return BlinkingTruth(
        dwells.on_share(begin_s, begin_s + length_s),
        len(dwells.states(begin_s, begin_s + length_s)) - 1,
        ((on + dark) / (1 - echo), (off + dark) / (1 - echo)),
        (tau_ns, tau_ns * (law.off_lifetime_factor if law.type == "A" else 1.0)),
        off / on,
        law.exponent,
    )


def blinking_stream(
    seed: int, *, blinking: Blinking | None = None
) -> tuple[StreamPhotons, BlinkingTruth]:
    """Return the photons of a dot that was not lit before, and what it really did.

    As one who watches the trace would do, it is measured until it has switched at least 60 times,
    in pieces of 50 s.

    Args:
        seed: Seed of the world.
        blinking: Law of the dot; None: that of the sample.
    """
    world, bench = _world(seed, blinking)
    irfs = _irfs(world, bench)
    dwells = bench.blinking(_DOT)
    length_s = _PIECE_S if dwells is None else _length_s(dwells)
    world.begin_point("photons")
    events = _events(bench, length_s)
    times_ps = events >> 3
    rates = np.bincount(events & 7, minlength=2).astype(np.float64)
    light = StreamPhotons(
        point=0,
        time_ticks=times_ps // PERIOD_PS,
        tick_s=1e-12 * PERIOD_PS,
        length_s=length_s,
        time_bin_s=0.01,
        delay_bins=(times_ps % PERIOD_PS // BIN_PS).astype(np.uint16),
        delay_bin_s=1e-12 * BIN_PS,
        period_s=1e-12 * PERIOD_PS,
        response=combined_response(irfs, rates),
    )
    return light, blinking_truth(world, "tagger", 0.0, length_s)


def shares_of_an_hour(
    seed: int, stretches: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], Blinking]:
    """Return lengths and ON fractions of equal stretches of the first hour of light, and the law.

    Straight from the world's list of dwells, without photons.
    """
    world, bench = _world(seed, None)
    dwells, law = bench.blinking(_DOT), world.dot.blinking
    if dwells is None or law is None:
        msg = f"{_DOT} does not blink"
        raise ValueError(msg)
    length_s = _HOUR_S / stretches
    begins_s = [length_s * place for place in range(stretches)]
    shares = np.array([dwells.on_share(at_s, at_s + length_s) for at_s in begins_s])
    return np.full(stretches, length_s), shares, law


def _world(seed: int, blinking: Blinking | None) -> tuple[World, Bench]:
    queue = EventQueue()
    sample = sample_of("fapbbr3.yaml")
    if blinking is not None:
        dot = sample.dots[_DOT].model_copy(update={"blinking": blinking})
        sample = sample.model_copy(update={"dots": {**sample.dots, _DOT: dot}})
    world = World(
        sample=sample, dot=_DOT, laser=_LASER, now=queue.now, schedule=queue.schedule,
        seed=seeder(seed),
    )  # fmt: skip
    bench = Bench.of(world)
    for channel, name in enumerate(("apd_1", "apd_2"), 1):
        bench.plug_in(Apd(ROOM.truth, name=name, tagger="tagger", channel=channel))
    world.table.laser_on = world.table.shutter_open = True
    return world, bench


def _length_s(dwells: Dwells) -> float:
    length_s = _PIECE_S
    while len(dwells.states(0.0, length_s)) <= _FEWEST_SWITCHES and length_s < _MOST_S:
        length_s += _PIECE_S
    return length_s


def _irfs(world: World, bench: Bench) -> list[Irf]:
    """Take scattered laser light on both detectors."""
    world.begin_point("irf")
    world.put_scatterer(ROOM.scattered)
    events = _events(bench, _IRF_S)
    world.put_scatterer(None)
    delays = (events >> 3) % PERIOD_PS // BIN_PS
    rows = [np.bincount(delays[(events & 7) == k], minlength=PERIOD_PS // BIN_PS) for k in (0, 1)]
    return [Irf(bin_ps=float(BIN_PS), counts=row.astype(np.float64)) for row in rows]


def _events(bench: Bench, live_s: float) -> NDArray[np.int64]:
    """Return what the module sees; nothing is moved meanwhile, so that its clock can stand."""
    inputs = [Input(0, 650, alive=True)] * 2
    run = Run(
        bench, bench.apds("tagger"), inputs, device="tagger", number=0,
        electronics_sd_ps=_ELECTRONICS_SD_PS,
    )  # fmt: skip
    run.stop()
    return run.stream.until(run.began_s + live_s, end=True)
