"""Rows 7, 8, 9, 11: sync lost, too much light, no settling, readings that stay away."""

from collections.abc import Callable
from typing import Any

import pytest

from invariants import check_invariants, spans_of, twice
from labctl.events import Event
from labctl.host import SimulatedBy, connect_station
from labctl.roles import PhotonCounter, Shutter, TaggerSettings, TimeTagger
from labctl.setup import load_setup
from labctl.storage import Quality, RecordKind
from labctl_sim.world.photons import Bench as World
from live_bench import LiveRun, both, frame, once, run_live, state
from photon_setup import PhotonBench
from small_setup import LEGACY, Bench

SYNC = """
interlocks:
  - {watch: tagger.sync_rate, band: [9.9 MHz, 10.1 MHz], rearm: [9.95 MHz, 10.05 MHz],
     every: 0.2 s, delay: 0.5 s, do: suspend, why: the laser has stopped}
"""
SETTLE = """
name: settle
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: cryostat.temperature
    values: [8, 9]
    settle: {tolerance: 50 mK, std: 50 mK, for: 60 s, timeout: 15 min, on_timeout: WHAT}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2}
"""
LONG = """
name: long exposures
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 5 s, frames: 24}
"""


def inject(device: str, kind: str, **parameters: Any) -> Callable[[LiveRun], None]:
    return lambda live: live.rig.inject(device, kind, **parameters)


def after(seconds: float, action: Callable[[LiveRun], None]) -> Callable[[LiveRun], None]:
    """Do it so many seconds of the clock later."""

    def later(live: LiveRun) -> None:
        live.clock.schedule(live.clock.now() + seconds, lambda: action(live))

    return later


def after_2_s(event: Event) -> bool:
    return event.kind == "live_result" and event.values["live_time_s"] >= 2.0


# Row 7


def test_a_lost_sync_suspends_and_the_decay_is_taken_again(photons: PhotonBench) -> None:
    def scenario() -> LiveRun:
        steps = "trpl: {center: 531 nm, stop: {time: 4 s}}"
        request = photons.ask(steps, changes={"safe_state:": f"{SYNC}safe_state:"})
        return run_live(
            request,
            both(
                once(after_2_s, inject("tagger", "lose_sync")),
                once(state("suspended"), after(20.0, inject("tagger", "clear"))),
            ),
        )

    live = twice(scenario)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    ((began_s, ended_s),) = spans_of(live, "suspended")
    # It is good again after 20 s, and must be so for 5 s; the meter's gate is 0.1 s.
    assert 25.0 <= ended_s - began_s <= 25.5
    check_invariants(live, violated=[(began_s - 0.8, ended_s)])
    (point,) = live.records(RecordKind.POINT)
    assert point.data["quality"] == Quality.SYNC_BAD | Quality.SUSPENDED_DURING
    assert point.attempt == 1
    assert point.data["live_time_s"] == pytest.approx(4.0, abs=0.02)


# Row 8


@pytest.mark.parametrize("how", ["step", "ramp"])
def test_too_much_light_is_shut_off_in_a_live_view_and_stays_off(
    photons: PhotonBench, how: str
) -> None:
    """Nobody measures and nobody reads a rate: the guard of the connection looks by itself."""
    setup = load_setup(photons.ask("trpl: {stop: {time: 1 s}}").setup)
    with connect_station(setup, SimulatedBy()) as lab:
        rig: Any = lab.rig
        apd, light = lab.station.get("apd_1", PhotonCounter), lab.station.get("shutter", Shutter)
        lab.station.get("tagger", TimeTagger).configure(TaggerSettings("t3", 1.0))
        apd.set_open(True)
        light.set_open(True)
        lab.clock.sleep(2.0)
        assert lab.guard.tripped() == []
        struck_s = lab.clock.now()
        for rate_hz in [2e7] if how == "step" else [1e6, 2e6, 4e6, 8e6, 1.6e7]:
            rig.inject("tagger", "over_light", rate_hz=rate_hz)
            struck_s = lab.clock.now()
            lab.clock.sleep(0.5)
            if lab.guard.tripped():
                break
        names = {one.name for one in lab.guard.tripped()}
        assert "apd_1" in names
        changes = rig.world.table.excitation.changes(struck_s, lab.clock.now())
        off_s = next(at_s for at_s, value in changes if not value)
        # One gate of the rate meter, one look, and the blade.
        assert off_s - struck_s <= 0.1 + 0.1 + 0.03
        rig.inject("tagger", "clear")
        lab.clock.sleep(600.0)
        assert not rig.world.table.shutter_open
        assert all(not one.shutter_open for one in World.of(rig.world).apds("tagger"))
        for name in names:
            assert lab.guard.rearm(name)
        lab.clock.sleep(60.0)
        # Re-armed is not opened: that is for the next measurement.
        assert lab.guard.tripped() == []
        assert light.is_shut()
        assert apd.is_shut()


# Row 9


@pytest.mark.parametrize("what", ["flag", "skip", "abort"])
def test_a_cryostat_that_does_not_settle(bench: Bench, what: str) -> None:
    recipe = bench.recipe(SETTLE.replace("WHAT", what))

    def at_start(event: Event) -> bool:
        return event.kind == "run_started"

    live = run_live(bench.request(recipe=recipe), once(at_start, inject("cryostat", "no_settling")))
    qualities = [record.data["quality"] for record in live.records(RecordKind.POINT)]
    timed_out = Quality.TEMPERATURE_UNSTABLE | Quality.TEMPERATURE_TIMEOUT
    assert qualities == ([timed_out, timed_out] if what == "flag" else [])
    assert live.ended.outcome.status == ("failed" if what == "abort" else "complete")
    if what == "abort":
        assert "has not settled at 8 K within 900 s" in live.ended.outcome.reason
    # Nothing but the temperatures of the recipe was ever asked for.
    assert [one.value for one in live.of("move_started")] == (
        [8.0] if what == "abort" else [8.0, 9.0]
    )
    assert live.target_k == (8.0 if what == "abort" else 9.0)
    check_invariants(live, device="cryostat" if what == "abort" else "", detected=what == "abort")


# Row 11


def watched(bench: Bench, interlock: str, react: Callable[[Event, LiveRun], None]) -> LiveRun:
    setup = bench.setup(LEGACY)
    setup.write_text(f"{setup.read_text('utf-8')}interlocks: [{{{interlock}}}]\n", "utf-8")
    return run_live(bench.request(setup=setup, recipe=bench.recipe(LONG)), react)


def test_a_reading_that_never_changes_is_no_reading(bench: Bench) -> None:
    stale = "watch: cryostat.temperature, stale: 60 s, every: 2 s, do: suspend"
    live = watched(bench, stale, once(frame(1), inject("cryostat", "stale", for_s=200.0)))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    ((began_s, ended_s),) = spans_of(live, "suspended")
    check_invariants(live, violated=[(began_s, ended_s)])
    (point,) = live.records(RecordKind.POINT)
    assert point.data["quality"] == Quality.STALE_READING | Quality.SUSPENDED_DURING
    assert point.data["began_s"] >= ended_s
    trip = next(one for one in live.of("interlock_changed") if one.state == "tripped")
    assert "K for 60 s" in trip.text or "K for 61 s" in trip.text or "K for 62 s" in trip.text


def test_a_reading_that_is_no_number_trips_after_ten_seconds(bench: Bench) -> None:
    warm = "watch: cryostat.temperature, above: 20 K, rearm: 15 K, every: 2 s, do: suspend"
    live = watched(bench, warm, once(frame(1), inject("cryostat", "nan", for_s=60.0)))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    ((began_s, ended_s),) = spans_of(live, "suspended")
    check_invariants(live, violated=[(began_s, ended_s)])
    (point,) = live.records(RecordKind.POINT)
    assert point.data["quality"] & Quality.STALE_READING
    assert point.data["quality"] & Quality.SUSPENDED_DURING
    trip = next(one for one in live.of("interlock_changed") if one.state == "tripped")
    assert "no valid reading for 1" in trip.text
