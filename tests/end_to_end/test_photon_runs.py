"""Photons through all layers: what is stored, when it stops, and what a pause keeps."""

import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from labctl.events import Command, Event, Pause, PausePolicy, Resume, Skip
from labctl.host import RunReport
from labctl.photons import Decays, PulsedG2, Trace, read_ptu, replay
from labctl.results._stored_photons import photon_points
from labctl.roles import PhotonCounter
from labctl.storage import Quality, RecordKind, file_digest, read_run
from live_bench import LiveRun, both, once, run_live, state
from photon_setup import PhotonBench

DECAY = "trpl: {grating: 300/mm, center: 531 nm, stop: {counts: 3000, at_most: 20 s}}"
SCAN = """
name: wedge
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: attenuator.fluence
    values: [0.1, 0.15]
    steps:
      - trpl: {center: 531 nm, stop: {time: 0.5 s}}
"""
CASES = ["picoharp300", "hydraharp400", "multiharp150", "picoharp330"]


@pytest.fixture
def bench(tmp_path: Path) -> PhotonBench:
    return PhotonBench(tmp_path)


def nothing(event: Event, live: LiveRun) -> None:
    """Only look."""


def raw(live: LiveRun, number: int = 0) -> Path:
    """Return the raw records of a point, as its sidecar names them."""
    entry = live.run.sidecars[number]
    path = live.run.path.parent / str(entry["name"])
    assert file_digest(path) == {"size": entry["size"], "sha256": entry["sha256"]}
    return path


def on_live(number: int) -> Callable[[Event], bool]:
    """Match the live results after so many seconds."""
    return lambda e: e.kind == "live_result" and e.values["live_time_s"] >= number


@pytest.mark.parametrize("driver", CASES)
def test_the_stored_decay_is_that_of_the_raw_records(bench: PhotonBench, driver: str) -> None:
    live = run_live(bench.ask(DECAY, DRIVER=f"picoquant.{driver}"), nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    decay = live.run.data["trpl"]
    counts = decay["counts"].values[0]
    assert 3000 <= counts.sum() < 3600
    file = read_ptu(raw(live))
    again = Decays(file.stream)
    books = replay(file, [again])
    code = next(iter(books.photons))
    assert np.array_equal(again.result(code + 1).counts[code][: len(counts)], counts)
    width_ps = file.stream.delay_bin_s * 1e12
    assert decay["delay"].values[1] == pytest.approx(1.5 * width_ps)
    # One laser period is covered, and not much more.
    assert 100e3 <= len(counts) * width_ps < 100e3 + 2 * width_ps
    assert file.stream.tick_s == pytest.approx(100e-9, rel=1e-6)


def test_the_light_is_on_for_the_photons_and_for_nothing_else(bench: PhotonBench) -> None:
    live = run_live(bench.ask("trpl: {center: 531 nm, stop: {time: 2 s}}"), nothing)
    (point,) = live.records(RecordKind.POINT)
    lit_s = live.light_s(point.data["began_s"], point.data["ended_s"])
    assert point.data["live_time_s"] == pytest.approx(2.0, abs=0.01)
    # Blades take some ms, their commands as long again.
    assert 2.0 <= lit_s < 2.1
    assert not live.shutter_open


def test_stop_rules_end_where_they_say(bench: PhotonBench) -> None:
    steps = """
        trpl: {center: 531 nm, stop: {time: 1.5 s}}
        trpl: {stop: {counts: 2000, at_most: 60 s}}
        trpl: {stop: {dose: 2 J/cm^2, at_most: 60 s}}
        trpl: {stop: {counts: 1000000, at_most: 1 s}}
    """
    live = run_live(bench.ask(steps), nothing)
    points = [record.data for record in live.records(RecordKind.POINT)]
    met = [point["settings"]["stop"]["met"] for point in points]
    assert met == ["time", "counts", "dose", "at_most"]
    times = [point["live_time_s"] for point in points]
    # 0.17 uJ/cm^2 at 10 MHz are 1.7 J/(cm^2 s).
    assert times[0] == pytest.approx(1.5, abs=0.01)
    assert times[2] == pytest.approx(2.0 / 1.7, abs=0.11)
    assert times[3] == pytest.approx(1.0, abs=0.01)
    assert 2000 <= points[1]["settings"]["photons"]["counts"] < 2600


def test_a_stop_by_the_error_of_g2(bench: PhotonBench) -> None:
    step = "g2: {center: 531 nm, stop: {relative_error: 0.5, at_most: 200 s}}"
    live = run_live(bench.ask(step), nothing)
    (point,) = live.records(RecordKind.POINT)
    assert point.data["settings"]["stop"]["met"] == "relative_error"
    last = live.of("live_result")[-1].values
    assert last["relative_error"] <= 0.5
    assert last["g2_zero_error"] == pytest.approx(0.5 * last["g2_zero"], rel=0.3)
    areas = live.run.data["g2"]["areas"].values[0]
    # One count more or less: the live result came at most one reading before the end.
    assert np.sqrt(areas[10]) / areas[10] <= 0.5 * 1.01


def test_coincidences_and_traces_are_those_of_the_raw_records(bench: PhotonBench) -> None:
    steps = """
        g2: {center: 531 nm, stop: {time: 3 s}}
        photons: {stop: {time: 2 s}, time_bin: 20 ms}
    """
    live = run_live(bench.ask(steps), nothing)
    file = read_ptu(raw(live))
    pairs, trace = PulsedG2((0, 1)), Trace(file.stream, 0.02)
    replay(file, [pairs])
    stored = live.run.data["g2"]
    assert np.array_equal(stored["areas"].values[0], pairs.result().counts)
    lags = stored["coincidences"].values[0]
    # Lags beyond half a period after the last peak are not on the axis.
    assert 0.95 * stored["areas"].values.sum() <= lags.sum() <= stored["areas"].values.sum()
    replay(read_ptu(raw(live, 1)), [trace])
    photons = live.run.data["photons"]
    stored = photons["by_detector"].values[0]
    # The trace covers the live time of 2 s, also where no record comes any more.
    assert stored.shape == (100, 2)
    whole = trace.result().counts
    assert np.array_equal(stored[: len(whole)], whole)
    assert photons["decays"].shape[1] == 2


def test_absolute_times_for_steady_light(bench: PhotonBench) -> None:
    step = "g2: {center: 531 nm, mode: t2, lag_bin: 10 ns, window: 1 us, stop: {time: 2 s}}"
    live = run_live(bench.ask(step), nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    stored = live.run.data["g2"]
    tau_ns = stored["tau"].values
    assert len(tau_ns) == 200
    assert tau_ns[0] == pytest.approx(-995.0, abs=1.0)
    assert stored["coincidences"].values.sum() > 0


APD_2 = "detectors.pdm, tagger: tagger, channel: 2"


def test_two_detectors_on_a_picoharp_300_in_t2(bench: PhotonBench) -> None:
    step = "g2: {center: 531 nm, mode: t2, lag_bin: 10 ns, window: 1 us, stop: {time: 4 s}}"
    changes = {"DRIVER": "picoquant.picoharp300", APD_2: APD_2.replace("2", "0")}
    live = run_live(bench.ask(step, changes=changes), nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    (point,) = live.records(RecordKind.POINT)
    detectors = point.data["settings"]["photons"]["detectors"]
    first, second = detectors["apd_1"]["counts"], detectors["apd_2"]["counts"]
    assert abs(first - second) < 5 * np.sqrt(first + second)
    photons = replay(read_ptu(raw(live)), []).photons
    assert sorted(photons.values()) == sorted([first, second])
    assert live.run.data["g2"]["coincidences"].values.sum() > 0


@pytest.mark.parametrize("driver", CASES)
def test_a_sync_divider_leaves_the_delays_as_they_are(bench: PhotonBench, driver: str) -> None:
    steps = """
        trpl: {center: 531 nm, stop: {time: 1 s}}
        trpl: {sync_divider: 4, stop: {time: 1 s}}
    """
    live = run_live(bench.ask(steps, DRIVER=f"picoquant.{driver}"), nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    decays = live.run.data["trpl"]
    assert decays["delay"].values[-1] == pytest.approx(100e3, abs=50.0)
    plain, divided = decays["counts"].values.astype(float)
    delay_ns = 1e-3 * decays["delay"].values
    means = [float(np.average(delay_ns, weights=counts)) for counts in (plain, divided)]
    # Mean delays of about 2500 photons each, scattered by a few dark counts over 100 ns.
    sd_ns = np.sqrt(np.average((delay_ns - means[0]) ** 2, weights=plain) * 2 / plain.sum())
    assert abs(means[0] - means[1]) < 5 * sd_ns
    assert read_ptu(raw(live, 1)).stream.tick_s == pytest.approx(100e-9, rel=1e-6)


def test_a_stop_by_an_error_that_stays_unknown_is_told_before_the_light(
    bench: PhotonBench,
) -> None:
    lit_s: list[float] = []

    def look(event: Event, live: LiveRun) -> None:
        if event.kind == "message" and "no response (IRF)" in event.text:
            lit_s.append(live.light_s(0.0, live.clock.now()))

    step = "trpl: {center: 531 nm, stop: {relative_error: 0.1, at_most: 1 s}}"
    live = run_live(bench.ask(step), look)
    assert lit_s == [0.0]
    (point,) = live.records(RecordKind.POINT)
    assert point.data["settings"]["stop"]["met"] == "at_most"


def test_a_run_without_a_response_is_told_once_that_no_lifetime_will_be_fitted(
    bench: PhotonBench,
) -> None:
    told: list[str] = []

    def look(event: Event, live: LiveRun) -> None:
        if event.kind == "message" and "no response (IRF)" in event.text:
            told.append(event.text)

    step = "trpl: {center: 531 nm, stop: {time: 1 s}}"
    run_live(bench.ask(f"{step}\n{step}"), look)
    assert len(told) == 1
    assert "step 'irf'" in told[0]


def in_the_dark(bench: PhotonBench, command: Command, steps: str) -> LiveRun:
    """Run steps; the command comes just before the light of the first."""
    asked: list[LiveRun] = []
    read = PhotonCounter.read_count_rate

    def reading(counter: PhotonCounter) -> float:
        if len(asked) == 1:
            asked.append(asked[0])
            asked[0].control.post(command)
        return read(counter)

    def react(event: Event, live: LiveRun) -> None:
        if not asked:
            asked.append(live)
        if event.kind == "state_changed" and event.state == "paused":
            live.control.post(Resume())

    with patch.object(PhotonCounter, "read_count_rate", reading):
        return run_live(bench.ask(steps), react)


@pytest.mark.parametrize("policy", ["bank", "repeat"])
@pytest.mark.parametrize("kind", ["trpl", "g2", "photons"])
def test_a_pause_that_comes_before_the_light_costs_no_light(
    bench: PhotonBench, policy: PausePolicy, kind: str
) -> None:
    steps = f"{kind}: {{center: 531 nm, stop: {{time: 1 s}}}}"
    live = in_the_dark(bench, Pause(policy=policy), steps)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    (point,) = live.records(RecordKind.POINT)
    assert point.data["live_time_s"] == pytest.approx(1.0, abs=0.01)
    assert point.data["settings"]["photons"]["detectors"]["apd_1"]["dark_rate_hz"] > 0.0
    assert live.light_s(0.0, live.clock.now()) < 1.1


def test_a_skipped_point_leaves_its_records_to_nobody_else(bench: PhotonBench) -> None:
    steps = """
        trpl: {center: 531 nm, stop: {time: 6 s}}
        trpl: {stop: {time: 1 s}}
    """
    live = run_live(bench.ask(steps), once(on_live(2), lambda live: live.control.post(Skip())))
    assert len(live.run.sidecars) == 2
    (stored,) = photon_points(live.run, "trpl")
    assert stored.files == (raw(live, 1),)
    photons = replay(read_ptu(stored.files[0]), []).photons[0]
    assert photons == live.run.data["trpl"]["counts"].values.sum()


def paused(bench: PhotonBench, policy: PausePolicy) -> LiveRun:
    step = "trpl: {center: 531 nm, stop: {time: 6 s}}"
    return run_live(
        bench.ask(step),
        both(
            once(on_live(2), lambda live: live.control.post(Pause(policy=policy))),
            once(state("paused"), lambda live: live.control.post(Resume())),
        ),
    )


def test_a_pause_that_banks_keeps_photons_and_true_live_time(bench: PhotonBench) -> None:
    live = paused(bench, "bank")
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    (part,) = live.records(RecordKind.POINT_PART)
    (point,) = live.records(RecordKind.POINT)
    assert part.data["live_time_s"] == pytest.approx(2.0, abs=0.15)
    assert point.data["live_time_s"] == pytest.approx(6.0, abs=0.02)
    lit_s = live.light_s(point.data["began_s"], point.data["ended_s"])
    assert 6.0 <= lit_s < 6.2
    assert point.data["quality"] & Quality.SUSPENDED_DURING
    photons = sum(replay(read_ptu(raw(live, n)), []).photons[0] for n in (0, 1))
    assert photons == live.run.data["trpl"]["counts"].values.sum()
    assert len(point.data["settings"]["photons"]["parts"]) == 2


def test_a_pause_that_repeats_keeps_the_raw_records_of_both(bench: PhotonBench) -> None:
    live = paused(bench, "repeat")
    (point,) = live.records(RecordKind.POINT)
    assert (point.attempt, point.data["live_time_s"]) == (1, pytest.approx(6.0, abs=0.02))
    first, second = live.run.sidecars
    assert (first["attempt"], second["attempt"]) == (0, 1)
    assert replay(read_ptu(raw(live, 0)), []).photons[0] > 0
    counts = live.run.data["trpl"]["counts"].values.sum()
    assert replay(read_ptu(raw(live, 1)), []).photons[0] == counts


def test_an_irf_is_kept_and_serves_the_points_after_it(bench: PhotonBench) -> None:
    steps = """
        irf: {grating: 300/mm, stop: {counts: 20000, at_most: 20 s}}
        trpl: {center: 531 nm, stop: {counts: 1000, at_most: 20 s}}
    """
    live = run_live(bench.ask(steps), nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    (kept,) = live.run.analyses
    assert (kept["name"], kept["key"]) == ("irf", "apd_1 300/mm side")
    assert kept["result"]["wavelength_nm"] == pytest.approx(405.0, abs=0.1)
    irf, decay = live.records(RecordKind.POINT)
    assert decay.data["settings"]["calibration"]["irf"]["apd_1"]["key"] == "apd_1 300/mm side"
    assert irf.data["settings"]["path"]["target"] == "scatterer"
    assert decay.data["settings"]["path"]["target"] == "sample"
    # Scattered light has no lifetime: its counts lie within the response of the detector.
    counts = live.run.data["irf"]["counts"].values[0].astype(float)
    delay_ps = live.run.data["irf"]["delay"].values
    peak_ps = delay_ps[counts.argmax()]
    assert counts[np.abs(delay_ps - peak_ps) < 400].sum() > 0.97 * counts.sum()


def test_one_seed_gives_the_same_photons_and_the_wall_clock_the_same_physics(
    bench: PhotonBench,
) -> None:
    request = bench.ask("trpl: {center: 531 nm, stop: {time: 3 s}}")
    first, second = bench.run(request), bench.run(request)
    assert raw_of(first) == raw_of(second)
    wall = bench.run(request.model_copy(update={"speed": 20.0}))
    assert wall.outcome.status == "complete", wall.outcome.reason
    virtual, real = (read_run(report.journal).data["trpl"]["counts"] for report in (first, wall))
    expected = float(virtual.values.sum())
    # Two Poissonian numbers of about 7500; the time between start and stop differs by a poll.
    assert abs(float(real.values.sum()) - expected) < 5 * np.sqrt(2 * expected) + 0.04 * expected


def raw_of(report: RunReport) -> bytes:
    """Return the records of the only point, without the header, which has a date."""
    run = read_run(report.journal)
    file = read_ptu(run.path.parent / str(run.sidecars[0]["name"]))
    return b"".join(np.array(block).tobytes() for block in file.blocks())


def test_a_reading_from_before_a_move_is_no_reading_of_the_point_after_it(
    bench: PhotonBench,
) -> None:
    lamp = "target: {driver: manual.selector, positions: [sample, scatterer]}"
    wedge = f"{lamp}\n  attenuator: {{driver: manual.attenuator, full_fluence: 0.2 uJ/cm^2}}"
    request = bench.ask(DECAY, changes={lamp: wedge})
    live = run_live(request.model_copy(update={"recipe": bench.recipe(SCAN)}), nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    first, second = (record.data for record in live.records(RecordKind.POINT))
    assert first["read"]["attenuator.fluence"]["value"] == pytest.approx(0.1)
    assert second["read"]["attenuator.fluence"]["value"] == pytest.approx(0.15)
    assert second["settings"]["laser"]["peak_fluence_uj_cm2"] == pytest.approx(0.15)


def test_an_irf_is_in_force_for_later_runs_until_it_expires(bench: PhotonBench) -> None:
    line = "safe_state: [shutter.close"
    kept = f"calibrations: {{irf: {{file: irf.json, valid_for: 7 d}}}}\n{line}"
    take = "irf: {grating: 300/mm, stop: {counts: 5000, at_most: 20 s}}"

    def told_of_age(step: str) -> bool:
        live = run_live(bench.ask(step, changes={line: kept}), nothing)
        assert live.ended.outcome.status == "complete", live.ended.outcome.reason
        in_force = live.records(RecordKind.POINT)[-1].data["settings"]["calibration"]["irf"]
        assert step == take or in_force["apd_1"]["key"] == "apd_1 300/mm side"
        return any("days old" in event.text for event in live.of("message"))

    assert not told_of_age(take)
    assert not told_of_age(DECAY)
    (file,) = bench.folder.rglob("irf.json")
    made = json.loads(file.read_text("utf-8"))
    made["results"]["apd_1 300/mm side"]["calibrated_at"] = "2020-01-01T00:00:00+00:00"
    file.write_text(json.dumps(made), "utf-8")
    assert told_of_age(DECAY)
