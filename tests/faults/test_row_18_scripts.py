"""Row 18 for scripts: run again with ``resume``, a script goes on where it was broken off."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import labctl
from interrupted import assert_same_points, copy_of, cut, is_overlap, points_of
from labctl.errors import ConfigError, RefusedError, StorageError
from labctl.host import Lab, ScriptRun, resume_request
from labctl.measurements import Spectrum
from labctl.roles import SettleRule
from labctl.sequencer import Skipped
from labctl.storage import read_journal
from small_setup import Bench

# The plate settles for so long that its temperature has nothing left of where it came from.
RULE = SettleRule(tolerance=0.05, std=0.05, dwell_s=40 * 60, timeout_s=3 * 3600)
NEVER = SettleRule(tolerance=1e-6, std=1e-6, dwell_s=600, timeout_s=1200)
LONG = Spectrum(grating="300/mm", exposure="1 s", frames=2)
SHORT = Spectrum(grating="300/mm", exposure="500 ms")
WORDS = {
    "MONITOR_PERIOD": "60 s",
    "CRYOSTAT_DRIVER": "montana.cryostation",
    "CRYOSTAT_ADDRESS": "TCPIP::cryostation.example::7773::SOCKET",
}


@pytest.fixture(autouse=True)
def no_product() -> Generator[None]:
    """Leave the product out: it costs seconds."""
    with patch("labctl.host._runner.finalise_in_child") as finalise:
        finalise.return_value.product = None
        yield


class Script:
    """A user's script: two temperatures, two wavelengths, and one temperature never reached."""

    def __init__(self, folder: Path, *, skips: bool = False) -> None:
        self.bench = Bench(folder)
        self.skips = skips
        self.temperatures_k: Sequence[float] = (4.0, 12.0)
        self.second = SHORT
        self.seen: list[Any] = []

    def station(self) -> Any:
        setup = self.bench.setup(WORDS)
        text = setup.read_text("utf-8")
        if "memory:" not in text:
            setup.write_text(text + "simulate: {memory: false}\n", "utf-8")
        return labctl.station(setup, simulate=True, dot="A7", out=self.bench.folder / "data")

    def run(self, resume: Path | None = None) -> ScriptRun:
        self.seen = []
        with self.station() as lab, lab.run("series", resume=resume) as run:
            self.loop(lab)
        return run

    def loop(self, lab: Lab) -> None:
        for kelvin in self.temperatures_k:
            reached_k = lab.cryostat.set_temperature(kelvin, settle=RULE)
            assert reached_k == pytest.approx(kelvin, abs=0.1)
            if self.skips:
                with pytest.raises(Skipped):
                    lab.cryostat.set_temperature(kelvin + 3, settle=NEVER, on_timeout="skip")
                lab.cryostat.set_temperature(kelvin, settle=RULE)
            for nm in (530.0, 534.0):
                lab.set("spectrograph.wavelength", nm)
                lab.wait(5.0)
                self.seen.append(lab.measure(LONG))
                self.seen.append(lab.measure(self.second, label="short"))


@pytest.mark.timeout(7200)
def test_cut_at_random_bytes_it_ends_with_the_same_arrays(tmp_path: Path, torture: bool) -> None:
    script = Script(tmp_path)
    whole = script.run().journal.parent
    wanted = [found.load() for found in script.seen]
    assert len(points_of(whole)) == len(wanted) == 8
    (journal,) = whole.glob("*.lcj")
    overlaps = 0
    for seed in range(40 if torture else 4):
        rng = np.random.default_rng(seed)
        run = copy_of(whole, tmp_path / str(seed))
        cut(run, int(rng.integers(journal.stat().st_size // 4, journal.stat().st_size)))
        again = script.run(resume=run)
        assert again.status == "complete"
        assert again.journal.parent == run
        overlaps += assert_same_points(run, whole)
        # The script sees the numbers of the uninterrupted run, too.
        assert len(script.seen) == len(wanted)
        for found, reference in zip(script.seen, wanted, strict=True):
            assert np.array_equal(found["counts"].values, reference["counts"].values)
            assert found["counts"].attrs["units"] == "counts"
    assert overlaps > 0


def after(run: Path, points: int) -> None:
    """Leave so many points of a run and a torn one."""
    (journal,) = run.glob("*.lcj")
    found = [record for record in read_journal(journal) if record.kind == "point"]
    last = found[points - 1].address
    cut(run, last.offset + last.length + 30)


def test_what_was_left_out_then_is_left_out_again(tmp_path: Path) -> None:
    script = Script(tmp_path, skips=True)
    script.temperatures_k = (4.0,)
    run = script.run().journal.parent
    after(run, 2)
    assert script.run(resume=run).status == "complete"
    assert [p.data["index"] for p in points_of(run) if not is_overlap(p)] == [0, 1, 2, 3]


@pytest.fixture
def broken(tmp_path: Path) -> tuple[Script, Path]:
    """A run of a script that ended without a word after five points."""
    script = Script(tmp_path)
    run = script.run().journal.parent
    after(run, 5)
    return script, run


def test_another_script_is_refused(broken: tuple[Script, Path]) -> None:
    script, run = broken
    script.second = LONG
    script.temperatures_k = (4.0, 10.0)
    with pytest.raises(RefusedError, match=r"point 4 was taken at .*temperature 12, .* 10"):
        script.run(resume=run)
    script.temperatures_k = (4.0,)
    with pytest.raises(RefusedError, match="the script ended before script/4"):
        script.run(resume=run)
    with pytest.raises(RefusedError, match=r"point 0 was spectrum; .* measures spectrum other"):
        label_first_point_otherwise(script, run)
    assert len(points_of(run)) == 5
    script.temperatures_k = (4.0, 12.0)
    script.second = SHORT
    assert script.run(resume=run).status == "complete"


def label_first_point_otherwise(script: Script, run: Path) -> None:
    with script.station() as lab, lab.run("series", resume=run):
        lab.cryostat.set_temperature(4.0, settle=RULE)
        lab.set("spectrograph.wavelength", 530.0)
        lab.measure(LONG, label="other")


def test_runs_that_no_script_can_go_on_with(broken: tuple[Script, Path], tmp_path: Path) -> None:
    script, run = broken
    with pytest.raises(ConfigError, match=r"lab\.run\(…, resume=RUN\)"):
        resume_request(run)
    assert script.run(resume=run).status == "complete"
    with pytest.raises(ConfigError, match="is complete; nothing is left"):
        script.run(resume=run)
    with pytest.raises(StorageError, match="holds no journal"):
        script.run(resume=tmp_path)
