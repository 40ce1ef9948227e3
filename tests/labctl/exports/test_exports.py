"""What other programs get from a run: every number of it, and photons as others know them."""

import csv
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from labctl.cli import app
from labctl.errors import StorageError
from labctl.exports import export_csv, export_netcdf, export_photon_hdf5, report_html
from labctl.photons import Decoder, read_ptu
from labctl.results import analyze
from labctl.storage import Run, read_run
from live_bench import run_live
from photon_setup import PhotonBench

STEPS = """
photons: {mode: t3, center: 531 nm, stop: {time: 0.5 s}}
photons: {mode: t2, center: 531 nm, stop: {time: 0.5 s}}
irf: {stop: {counts: 300000, at_most: 60 s}}
trpl: {center: 531 nm, stop: {counts: 20000, at_most: 60 s}}
"""
NAME = "<b>photons</b> & more"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four points of photons."""
    bench = PhotonBench(tmp_path_factory.mktemp("run"))
    live = run_live(bench.ask(STEPS), lambda _event, _live: None)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    return live.run


def table(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def numbers(rows: list[list[str]]) -> Any:
    return np.array([[float(cell or "nan") for cell in row] for row in rows])


def test_tables_hold_every_number(run: Run, tmp_path: Path) -> None:
    paths = {path.name: path for path in export_csv(run, tmp_path)}
    assert sorted(paths) == sorted(path.name for path in tmp_path.iterdir())
    header, rows = table(paths["points.csv"])
    assert [row[header.index("index")] for row in rows] == ["0", "1", "2", "3"]
    live = [float(row[header.index("live_time_s [s]")]) for row in rows]
    assert live == run.points["live_time_s"].values.tolist()

    header, rows = table(paths["trpl_counts.csv"])
    assert header == ["delay [ps]", "point 3 [counts]"]
    found, kept = numbers(rows), run.data["trpl"]
    assert np.array_equal(found[:, 0], kept["delay"].values)
    assert np.array_equal(found[:, 1], kept["counts"].values[0])

    stacks = [n for n in run.data["photons"].data_vars if run.data["photons"][n].ndim == 3]
    assert stacks
    for name in stacks:
        values = run.data["photons"][name].values
        for row, point in enumerate(run.data["photons"]["point"].values.tolist()):
            cells = table(paths[f"photons_{name}_p{point:04d}.csv"])[1]
            assert np.array_equal(numbers(cells)[:, 1:], values[row])


def test_netcdf_is_read_by_xarray(run: Run, tmp_path: Path) -> None:
    path = export_netcdf(run, tmp_path / "run.nc")
    xarray: Any = xr  # its types are not whole
    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        assert tree.attrs["uid"] == run.uid
        assert np.array_equal(tree["points/quality"].values, run.points["quality"].values)
        for name, dataset in run.data.items():
            for array in dataset.data_vars:
                stored = tree[f"data/{name}/{array}"]
                assert np.array_equal(stored.values, dataset[array].values)
                assert stored.attrs["units"] == dataset[array].attrs["units"]
        for name, series in run.monitors.items():
            kept = tree[f"monitors/{name}/value"]
            assert np.array_equal(kept.values, series.values)
            assert np.array_equal(kept["time"].values, series["time"].values)


def test_photon_hdf5_holds_every_photon(run: Run, tmp_path: Path) -> None:
    paths = export_photon_hdf5(run, tmp_path)
    assert len(paths) == len(run.sidecars) == 4
    for path in paths:
        file = read_ptu(run.path.parent / f"{path.stem}.ptu")
        block = Decoder(file.stream).feed(file.records())
        with h5py.File(path) as opened:
            root: Any = opened
            assert np.array_equal(root["photon_data/timestamps"], block.time_ticks)
            assert np.array_equal(root["photon_data/detectors"], block.channel)
            assert ("nanotimes" in root["photon_data"]) == (file.stream.mode == 3)
            unit = root["photon_data/timestamps_specs/timestamps_unit"][()]
            assert unit == file.stream.tick_s
            if file.stream.mode == 3:
                assert np.array_equal(root["photon_data/nanotimes"], block.delay_bins)


def test_no_photons_no_file(run: Run, tmp_path: Path) -> None:
    class WithoutPhotons:
        uid, sidecars, start, analyses, data = run.uid, (), run.start, (), {}

    without: Any = WithoutPhotons()
    with pytest.raises(StorageError, match="has no raw records of photons"):
        export_photon_hdf5(without, tmp_path / "none")
    assert not (tmp_path / "none").exists()


class Page(HTMLParser):
    """Text and tags of a page; tags that were not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        assert all(name != "src" or value.startswith("data:") for name, value in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_report_is_one_whole_page(run: Run) -> None:
    page = Page(report_html(run))
    text = " ".join(page.words)
    assert not page.open
    assert page.tags.isdisjoint({"script", "link", "iframe"})
    assert "SIMULATED" in text
    assert "img" in page.tags
    for entry in run.sidecars:
        assert str(entry["sha256"]) in text
    (lifetime, *_) = [r for r in analyze(run) if r.quantity.startswith("lifetime")]
    assert lifetime.unit in text
    assert "multiharp" in text.lower()


def test_report_of_a_run_without_results_and_with_strange_words(run: Run) -> None:
    class Failed:
        uid, name, title, path = "abc", NAME, NAME, run.path
        status, points, segments, data, analyses = run.status, run.points, run.segments, {}, ()
        sidecars, events, monitors = (), (), {}
        start = run.start
        stop = {"status": "failed", "reason": "spectrograph: no reply to <GOTO>"}

    failed: Any = Failed()
    text = report_html(failed)
    assert NAME not in text
    words = " ".join(Page(text).words)
    assert NAME in words
    assert "no reply to <GOTO>" in words
    assert "neither spectra nor photons to analyse" in words


def test_commands_write_beside_the_data_and_never_over_it(run: Run, tmp_path: Path) -> None:
    def call(*words: str) -> tuple[int, list[str], str]:
        result = CliRunner().invoke(app, list(words))
        return result.exit_code, result.stdout.splitlines(), result.stderr

    data = str(run.path)
    for kind in ("csv", "netcdf", "photon-hdf5"):
        status, lines, _ = call("export", data, "--to", kind)
        assert status == 0
        assert all(Path(line).is_file() for line in lines)
        again = call("export", data, "--to", kind)
        assert again[0] == 2
        assert "holds files already" in again[2]
        assert call("export", data, "--to", kind, "--overwrite")[:2] == (0, lines)
    page = tmp_path / "new" / "page.html"
    status, lines, _ = call("report", data, "--out", str(page))
    assert (status, lines) == (0, [str(page)])
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    # What was written beside it changes nothing about the run.
    assert call("check", str(run.path.parent))[0] == 0
    assert read_run(run.path.parent).uid == run.uid
