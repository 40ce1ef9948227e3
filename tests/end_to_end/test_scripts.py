"""Plain Python at the set-up: as safe as a recipe, and the same numbers."""

import importlib.util
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

import labctl
from labctl.errors import NoReplyError, RefusedError
from labctl.events import Event, Stop
from labctl.host import Lab, LocalHost, RunRequest
from labctl.measurements import Spectrum
from labctl.roles import SettleRule
from labctl.storage import Run, list_runs, read_run
from small_setup import ROOT, Bench, arrays, arrays_of

QUICK = Spectrum(grating="300/mm", center="531 nm", exposure="100 ms", frames=2)
RULE = SettleRule(0.05, 0.05, 60.0, 1800.0)


@pytest.fixture(autouse=True)
def no_product() -> Generator[None]:
    """Leave the product out: it costs seconds, and other tests look at it."""
    with patch("labctl.host._runner.finalise_in_child") as finalise:
        finalise.return_value.product = None
        yield


@pytest.fixture
def lab(bench: Bench) -> Generator[Lab]:
    with labctl.station(bench.setup(), simulate=True, dot="A7", out=bench.folder / "data") as found:
        yield found


def world(lab: Lab) -> Any:
    rig: Any = vars(lab)["_connection"].rig
    return rig.world


def script() -> ModuleType:
    path = ROOT / "configs" / "scripts" / "temperature_scan.py"
    spec = importlib.util.spec_from_file_location("temperature_scan", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_script_stores_the_arrays_of_the_recipe_of_the_same_name(
    tmp_path: Path,
) -> None:
    recipe = ROOT / "configs" / "recipes" / "temperature_series.yaml"
    text = recipe.read_text("utf-8")
    short = tmp_path / "short.yaml"
    short.write_text(text.replace("[4, 10, 20, 30, 40, 50, 60, 70, 80, 90]", "[4, 10]"), "utf-8")
    assert short.read_text("utf-8") != text
    setup = ROOT / "configs" / "setups" / "microscope.yaml"
    request = RunRequest(setup=setup, recipe=short, simulate=True, seed=3, out=tmp_path / "recipe")
    by_recipe = LocalHost().run(request)
    assert by_recipe.outcome.status == "complete", by_recipe.outcome.reason

    module = script()
    with labctl.station(
        module.SETUP, simulate=True, seed=3, dot=module.DOT, out=tmp_path / "script"
    ) as lab:
        run = module.scan(lab, (4, 10))
    assert run.status == "complete"
    wanted, found = arrays_of(by_recipe), arrays(read_run(run.journal))
    assert found.keys() == wanted.keys()
    assert len(wanted) == 10
    assert found == wanted


def test_the_temperatures_of_the_script_are_those_of_the_recipe() -> None:
    text = (ROOT / "configs" / "recipes" / "temperature_series.yaml").read_text("utf-8")
    assert str(list(script().TEMPERATURES_K)) in text


def test_a_measurement_outside_a_run_makes_a_run_of_its_own(lab: Lab, bench: Bench) -> None:
    found = lab.measure(QUICK, label="x")
    assert found["frames"].shape == (2, 1600)
    run = only_run(bench)
    assert (run.status, run.name) == ("complete", "spectrum")
    assert run.start["plan"]["points"] == 1
    assert not world(lab).table.shutter_open


def test_moves_work_outside_a_run_and_store_nothing(lab: Lab, bench: Bench) -> None:
    assert lab.set("spectrograph.wavelength", 600.0) == pytest.approx(600.0, abs=0.02)
    assert lab.cryostat.set_temperature(6.0, settle=RULE) == pytest.approx(6.0, abs=0.05)
    assert isinstance(lab.cryostat.set_temperature(8.0, wait=False), float)
    assert not (bench.folder / "data").exists()
    with pytest.raises(RefusedError, match="out of range"):
        lab.set("spectrograph.wavelength", 1e6)


def test_points_of_a_loop_are_returned_one_by_one_whatever_their_label(lab: Lab) -> None:
    with lab.run("loop") as run:
        for number in range(2):
            for label in ("", "again"):
                lab.set("spectrograph.wavelength", 530.0 + number)
                point = lab.measure(Spectrum(exposure="100 ms", frames=1 + number), label=label)
                assert point["frames"].shape == (1 + number, 1600)
                assert float(point["wavelength"].mean()) == pytest.approx(530.0 + number, abs=2)
        with pytest.raises(RefusedError, match="a run is already open"), lab.run("inner"):
            pass
    assert run.status == "complete"
    assert run.data().points.sizes["point"] == 4


def test_a_returned_point_is_the_stored_one(lab: Lab) -> None:
    with lab.run("loop") as run:
        lab.set("spectrograph.wavelength", 531.0)
        found = [lab.measure(QUICK, label=label) for label in ("", "again", "")]
    stored = run.data()
    assert set(stored.data) == {"spectrum", "spectrum_again"}
    again = stored.data["spectrum_again"].isel(point=0)
    assert found[1].equals(again)
    assert found[1].attrs == again.attrs
    assert found[2].equals(stored.data["spectrum"].isel(point=1))
    assert [int(point["point"]) for point in found] == [0, 1, 2]


def test_a_run_without_a_word_about_the_sample_has_that_of_the_set_up(lab: Lab) -> None:
    with lab.run("loop") as run:
        pass
    assert run.data().start["sample"] == {"name": "CsPbBr3 23 nm", "dot": "A7"}
    assert "_CsPbBr3-23-nm_loop_" in run.journal.parent.name
    with lab.run("loop", sample="another") as run:
        pass
    assert "_another_loop_" in run.journal.parent.name


def only_run(bench: Bench) -> Run:
    (folder,) = list_runs(bench.folder / "data")
    return read_run(folder.journal)


class ScriptError(Exception):
    """A mistake in a script."""


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def mistake() -> None:
    raise ScriptError


def loop(lab: Lab, trouble: Callable[[], None]) -> None:
    """Take a point, leave the light on, meet trouble."""
    with lab.run("loop"):
        lab.measure(QUICK)
        lab.shutter.set_open(True)
        assert world(lab).table.shutter_open
        trouble()


@pytest.mark.parametrize(
    ("trouble", "error", "status"),
    [(mistake, ScriptError, "failed"), (ctrl_c, KeyboardInterrupt, "aborted")],
)
def test_trouble_in_a_loop_is_safe_stored_and_seen_by_the_script(
    lab: Lab,
    bench: Bench,
    trouble: Callable[[], None],
    error: type[BaseException],
    status: str,
) -> None:
    with pytest.raises(error):
        loop(lab, trouble)
    assert not world(lab).table.shutter_open
    stored = only_run(bench)
    assert stored.status == status
    assert stored.data["spectrum"].sizes["point"] == 1


def test_ctrl_c_in_the_middle_of_an_exposure_is_safe(bench: Bench) -> None:
    def press(event: Event) -> None:
        if event.kind == "progress":
            ctrl_c()

    with labctl.station(
        bench.setup(), simulate=True, out=bench.folder / "data", listeners=[press]
    ) as lab:
        with pytest.raises(KeyboardInterrupt):
            lab.measure(Spectrum(exposure="1 s", frames=5))
        assert not world(lab).table.shutter_open
    assert only_run(bench).status == "aborted"


def test_a_silent_device_ends_the_run_and_the_script_is_told(lab: Lab, bench: Bench) -> None:
    def silence() -> None:
        rig: Any = vars(lab)["_connection"].rig
        rig.inject("cryostat", "hang")
        lab.cryostat.set_temperature(10.0)

    with pytest.raises(NoReplyError, match="cryostat"):
        loop(lab, silence)
    assert only_run(bench).status == "failed"


def test_an_error_outside_of_any_run_leaves_the_set_up_safe(bench: Bench) -> None:
    found: list[Any] = []

    def work() -> None:
        with labctl.station(bench.setup(), simulate=True, out=bench.folder) as lab:
            found.append(world(lab))
            lab.shutter.set_open(True)
            assert found[0].table.shutter_open
            raise ScriptError

    with pytest.raises(ScriptError):
        work()
    assert not found[0].table.shutter_open


def test_a_command_ends_a_script_s_run_quietly(lab: Lab) -> None:
    with lab.run("loop") as run:
        for _ in range(3):
            lab.measure(QUICK)
            lab.post(Stop(reason="enough"))
    assert run.status == "aborted"
    assert run.data().points.sizes["point"] == 1
