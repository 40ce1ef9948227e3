"""The time contract of the simulated set-up, proven on whole runs."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from labctl.errors import NoReplyError
from labctl.events import MoveFinished
from labctl.host import ChildHost, LocalHost, SimulatedBy, connect_station
from labctl.roles import Cryostat, Spectrograph
from labctl.setup import load_setup
from labctl.storage import read_run
from small_setup import LEGACY, S_SERIES, Bench, arrays_of

KEY = "a secret of this test"


def test_three_points_come_from_the_simulators_into_one_file(bench: Bench) -> None:
    report = bench.run(bench.request())
    assert report.outcome.status == "complete"
    assert report.product is not None
    assert report.product.suffix == ".nxs"
    spectra = read_run(report.product).data["spectrum"]
    assert spectra["counts"].shape == (3, 1600)
    wavelength_nm = np.atleast_2d(spectra["wavelength"].values)[0]
    peak_nm = wavelength_nm[np.argmax(spectra["counts"].values[0])]
    assert 525 < peak_nm < 535


def test_blocking_goto_takes_its_virtual_time_and_no_wall_time(bench: Bench) -> None:
    connection = connect_station(load_setup(bench.setup()), SimulatedBy())
    with connection:
        spectrograph = connection.station.only(Spectrograph)
        clock = connection.clock
        spectrograph.start_wavelength(0.0)
        clock.wait_until(lambda: not spectrograph.is_moving(), deadline_s=100, what="home")
        began_s, wall_s = clock.now(), time.perf_counter()
        spectrograph.start_wavelength(600.0)
        assert spectrograph.is_moving()
        done = clock.wait_until(
            lambda: not spectrograph.is_moving(), deadline_s=clock.now() + 60, what="GOTO"
        )
        assert done
        # 600 nm at the simulated drive's 200 nm/s; ramps and the bytes on a 9600 baud line add up
        # to less than 0.2 s.
        assert 3.0 < clock.now() - began_s < 3.2
        assert time.perf_counter() - wall_s < 1.0
        assert spectrograph.read_wavelength() == pytest.approx(600.0, abs=0.01)


@pytest.mark.parametrize("words", [LEGACY, S_SERIES], ids=["tcp", "http"])
def test_a_temperature_step_takes_minutes_of_lab_time(bench: Bench, words: dict[str, str]) -> None:
    moves: list[MoveFinished] = []
    request = bench.request(setup=bench.setup(words))
    report = LocalHost().run(
        request, [lambda e: moves.append(e) if isinstance(e, MoveFinished) else None]
    )
    assert report.outcome.status == "complete", report.outcome.reason
    # physics.md: a 10 K step settles in 3 to 8 min; the dwell time of the rule is in it.
    assert all(120 < move.seconds < 10 * 60 for move in moves[1:])
    assert all(
        abs(move.value - target) < 0.05 for move, target in zip(moves, (4, 12, 20), strict=True)
    )


@pytest.mark.parametrize("words", [LEGACY, S_SERIES], ids=["tcp", "http"])
def test_a_silent_device_meets_its_deadline_at_no_wall_time(
    bench: Bench, words: dict[str, str]
) -> None:
    connection = connect_station(load_setup(bench.setup(words)), SimulatedBy())
    with connection:
        assert connection.rig is not None
        cryostat = connection.station.only(Cryostat)
        connection.rig.inject("cryostat", "hang")
        began_s, wall_s = connection.clock.now(), time.perf_counter()
        with pytest.raises(NoReplyError, match="cryostat"):
            cryostat.read_temperature()
        assert 1.0 < connection.clock.now() - began_s < 60.0
        assert time.perf_counter() - wall_s < 1.0


def test_two_runs_with_one_seed_are_bit_identical(bench: Bench) -> None:
    first, second = bench.run(bench.request(seed=5)), bench.run(bench.request(seed=5))
    other = bench.run(bench.request(seed=6))
    assert arrays_of(first) == arrays_of(second)
    assert arrays_of(first) != arrays_of(other)


def test_extra_polling_changes_no_array(bench: Bench) -> None:
    often = bench.setup(LEGACY | {"MONITOR_PERIOD": "300 ms"}, "often.yaml")
    assert arrays_of(bench.run(bench.request())) == arrays_of(bench.run(bench.request(setup=often)))


def test_engine_in_a_child_process_stores_the_same(bench: Bench) -> None:
    events: list[str] = []
    child = ChildHost().run(bench.request(seed=2), [lambda event: events.append(event.kind)])
    assert child.outcome.status == "complete"
    assert events[0] == "run_started"
    assert events[-1] == "run_stopped"
    assert arrays_of(child) == arrays_of(bench.run(bench.request(seed=2)))


@pytest.fixture
def world_port(bench: Bench) -> Generator[int]:
    """A world in its own process, in virtual time; yields the port of its lease."""
    code = (
        "import json, sys\n"
        "from labctl.host import serve_virtual\n"
        "from labctl.setup import load_setup\n"
        "serve_virtual(load_setup(sys.argv[1]), dot='A7', seed=4, key=sys.argv[2],\n"
        "    announce=lambda told: print(json.dumps(dict(told)), flush=True))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(bench.setup()), KEY], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["lease"]
    finally:
        process.terminate()
        process.communicate(timeout=10)


def test_the_world_in_its_own_process_gives_bit_identical_arrays(
    bench: Bench, world_port: int
) -> None:
    request = bench.request(seed=4)
    leased = bench.run(request.model_copy(update={"world_port": world_port, "world_key": KEY}))
    assert leased.outcome.status == "complete", leased.outcome.reason
    assert arrays_of(leased) == arrays_of(bench.run(request))


TWO_POINTS = """
name: two points
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: spectrograph.wavelength
    values: [530, 532]
    steps:
      - spectrum: {grating: 300/mm, exposure: 1 s, frames: 2}
"""


def test_on_the_wall_clock_the_physics_is_the_same(bench: Bench, tmp_path: Path) -> None:
    request = bench.request(recipe=bench.recipe(TWO_POINTS))
    virtual = bench.run(request)
    wall = bench.run(request.model_copy(update={"speed": 20.0}))
    assert wall.outcome.status == "complete", wall.outcome.reason
    for a, b in zip(_areas(virtual.journal), _areas(wall.journal), strict=True):
        # Photon noise of about 1e5 electrons, and the opening time of the shutter (10 ms of 1 s
        # per frame series): 3 % is more than five standard deviations of both.
        assert a == pytest.approx(b, rel=0.03)


def _areas(journal: Path) -> list[float]:
    counts = read_run(journal).data["spectrum"]["counts"].values.astype(float)
    return [float(np.sum(row - np.median(row))) for row in counts]
