import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labctl.errors import StorageError
from labctl.optics import HC_EV_NM
from labctl.storage import (
    ArrayItem,
    Quality,
    RecordKind,
    Run,
    RunStatus,
    TailState,
    finalise,
    lint_product,
    read_journal,
    read_run,
)
from labctl.storage._frame import frame

Begin = Callable[..., Any]
Spectrum = Callable[..., list[ArrayItem]]


def assert_same(journal: Run, product: Run) -> None:
    """Everything that a user sees is the same, to the last bit and attribute."""
    assert journal.start == product.start
    assert journal.stop == product.stop
    assert (journal.uid, journal.name, journal.title) == (product.uid, product.name, product.title)
    assert [vars(event) for event in journal.events] == [vars(event) for event in product.events]
    assert [vars(part) for part in journal.segments] == [vars(part) for part in product.segments]
    assert (journal.sidecars, journal.found) == (product.sidecars, product.found)
    assert (journal.analyses, journal.unknown_kinds) == (product.analyses, product.unknown_kinds)
    assert [h.seq for h in journal.headers()] == [h.seq for h in product.headers()]
    assert journal.points.identical(product.points)
    assert list(journal.monitors) == list(product.monitors)
    for name, log in journal.monitors.items():
        assert log.identical(product.monitors[name])
    assert list(journal.data) == list(product.data)
    for key, data in journal.data.items():
        assert data.identical(product.data[key])
        assert dtypes(data) == dtypes(product.data[key])


def dtypes(data: xr.Dataset) -> dict[str, str]:
    return {str(name): str(data[name].values.dtype) for name in data.variables}


def both(folder: Path) -> tuple[Run, Run]:
    journal = read_run(folder)
    report = finalise(folder / "run.lcj")
    assert lint_product(report.product) == []
    product = read_run(folder)
    assert (journal.path.suffix, product.path.suffix) == (".lcj", ".nxs")
    assert_same(journal, product)
    return journal, product


def test_a_finished_run_reads_the_same_from_journal_and_product(
    finished: Path, folder: Path
) -> None:
    journal, product = both(folder)
    assert journal.status is product.status is RunStatus.COMPLETE
    spectra = product.data["spectrum"]
    assert spectra["counts"].dims == ("point", "wavelength")
    assert spectra["counts"].dtype == np.uint32
    assert spectra["counts"].attrs["units"] == "counts"
    assert spectra["wavelength"].attrs["units"] == "nm"
    assert spectra["cryostat_temperature"].values.tolist() == [4.01, 6.01, 8.01]
    assert spectra["cryostat_temperature"].attrs == {
        "units": "K",
        "source": "cryostat.temperature",
        "role": "read",
    }
    assert spectra["cryostat_temperature_set"].values.tolist() == [4.0, 6.0, 8.0]
    assert spectra["cryostat_temperature_std"].values.tolist() == [0.005] * 3
    assert spectra["camera_exposure_s"].attrs["units"] == "s"
    assert spectra["camera_mode"].values.tolist() == ["em"] * 3
    counts: Any = spectra["counts"]
    assert int(counts.sel(wavelength=530.31, method="nearest")[2]) == 2003
    # The index of air is 1.00028 in the visible (Peck and Reeder, 1972).
    energy_ev = HC_EV_NM / (1.00028 * spectra["wavelength"].values)
    np.testing.assert_allclose(spectra["energy"].values, energy_ev, rtol=1e-5)
    log = product.monitors["cryostat.temperature"]
    assert log.values.tolist() == [4.0, 5.0, 6.0]
    assert log["time"].values.tolist() == [1.0, 12.0, 23.0]
    assert product.events[0].message == "done µ"
    assert product.events[0].data == {"a": [1, 2]}
    assert product.start["sample"] == {"name": "dots", "dot": "A7"}
    assert product.stop == {"status": "complete", "reason": "", "snapshot": {}}


def test_a_run_that_is_going_on_can_be_read(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        assert read_run(folder).status is RunStatus.RUNNING
        assert dict(read_run(folder).data) == {}
        for index in range(3):
            run.point(index)
            seen = read_run(folder)
            assert seen.data["spectrum"].sizes["point"] == index + 1
            assert seen.status is RunStatus.RUNNING
    assert read_run(folder).status is RunStatus.CRASHED


@pytest.mark.parametrize("status", ["complete", "aborted", "failed"])
def test_the_stop_record_says_how_it_ended(status: str, scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        run.point(0)
        run.stop(status, "because")
    _, product = both(folder)
    assert product.status == status
    assert product.stop is not None
    assert product.stop["reason"] == "because"


def test_positions_that_change_become_a_coordinate_of_two_dimensions(
    scribe: Begin, folder: Path, make_spectrum: Spectrum
) -> None:
    with scribe() as run:
        run.start()
        for index in range(3):
            run.point(index, make_spectrum(index, shift_nm=0.5 * index))
        run.stop()
    _, product = both(folder)
    spectra = product.data["spectrum"]
    assert spectra["counts"].dims == ("point", "x")
    assert spectra["wavelength"].dims == spectra["energy"].dims == ("point", "x")
    assert spectra["wavelength"].values[:, 0].tolist() == [530.0, 530.5, 531.0]


def test_measurements_labels_and_shapes_are_kept_apart(
    scribe: Begin, folder: Path, make_spectrum: Spectrum
) -> None:
    decay = [
        ArrayItem(
            "counts", np.arange(8, dtype=np.uint32).reshape(2, 4), "counts", ("channel", "bin")
        ),
        ArrayItem("delay", np.array([0.5, 1.5, 2.5, 3.5]), "ns", ("bin",)),
        ArrayItem("edges", np.arange(5.0), "ns", ("edge",)),
    ]
    with scribe() as run:
        run.start()
        run.point(0)
        run.point(1, label="filtered")
        run.point(2, decay, measurement="trpl", detector="tagger")
        run.point(3, make_spectrum(3, pixels=5))
        run.point(4)
        run.stop()
    _, product = both(folder)
    assert list(product.data) == ["spectrum", "spectrum_filtered", "trpl", "spectrum_2"]
    assert product.data["spectrum"]["point"].values.tolist() == [0, 4]
    assert product.data["spectrum_2"].sizes == {"point": 1, "wavelength": 5}
    assert product.data["trpl"]["counts"].dims == ("point", "channel", "delay")
    with h5py.File(product.path, "r") as file:
        entry = file["entry"]
        assert isinstance(entry, h5py.Group)
        assert {"spectra", "spectra_filtered", "spectra_2", "decay"} <= set(entry)
        assert "instrument/detector_tagger/raw_data/raw" in entry


def test_of_a_repeated_point_the_last_one_counts_and_all_are_kept(
    scribe: Begin, folder: Path
) -> None:
    with scribe() as run:
        run.start()
        run.point(0)
        run.point(1, quality=int(Quality.SATURATED))
        run.point(1, attempt=1, quality=int(Quality.RETRIED))
        run.point(2)
        run.stop()
    _, product = both(folder)
    spectra = product.data["spectrum"]
    assert spectra["point"].values.tolist() == [0, 1, 2]
    assert spectra["counts"].values[:, 0].tolist() == [0, 101000, 2000]
    assert spectra["quality"].values.tolist() == [0, int(Quality.RETRIED), 0]
    assert product.points["superseded"].values.tolist() == [False, True, False, False]


def test_points_of_all_shapes_survive(scribe: Begin, folder: Path) -> None:
    items = [
        ArrayItem("power", np.array(1.5e-6), "W", ()),
        ArrayItem("raw", np.array([[1 + 2j, 3], [4, 5j]]), "V", ("a", "b")),
        ArrayItem("good", np.array([True, False]), "", ("a",)),
        ArrayItem("none", np.empty((0, 2)), "m", ("zero", "b")),
    ]
    with scribe() as run:
        run.start()
        run.point(0, items, measurement="odd")
        run.point(1, [], measurement="readings")
        run.point(2, [], measurement="readings", read={}, set={}, settings={"camera": {"a": None}})
        run.point(3, items, measurement="odd", set={"wheel.slot": {"value": "ND 1", "units": ""}})
        run.stop()
    _, product = both(folder)
    assert product.data["odd"]["raw"].values[1].tolist() == [[1 + 2j, 3], [4, 5j]]
    assert product.data["odd"].attrs["signal"] == "power"
    assert product.data["odd"]["wheel_slot"].values.tolist() == ["", "ND 1"]
    assert np.isnan(product.data["readings"]["cryostat_temperature"].values).tolist() == [
        False,
        True,
    ]


def test_columns_never_hide_arrays_or_mix_units(scribe: Begin, folder: Path) -> None:
    settings_of = {"wavelength": 531.0, "counts": 7}
    with scribe() as run:
        run.start()
        run.point(0, settings=settings_of)
        run.point(1, read={"cryostat.temperature": {"value": 6010.0, "units": "mK"}})
        run.stop()
    _, product = both(folder)
    spectra = product.data["spectrum"]
    assert spectra["counts"].shape == (2, 8)
    assert spectra["point_counts"].values[0] == 7
    assert spectra["cryostat_temperature"].attrs["units"] == "K"
    assert spectra["cryostat_temperature_"].attrs["units"] == "mK"
    assert spectra["cryostat_temperature_"].values[1] == 6010.0


def test_all_other_records_are_kept_with_their_arrays(scribe: Begin, folder: Path) -> None:
    dots = ArrayItem("positions", np.arange(6.0).reshape(3, 2), "um", ("dot", "axis"))
    with scribe() as run:
        run.start()
        run.writer.append(RecordKind.FOUND, {"what": "dots"}, [dots], step_id="map")
        run.writer.append(RecordKind.POINT_PART, {"index": 0, "live_time_s": 0.5}, [dots])
        run.writer.append(RecordKind.ANALYSIS, {"what": "peak", "value": 2.3})
        sidecar = {"name": "run_p0000.ptu", "size": 8, "sha256": "ab"}
        run.writer.append(RecordKind.SIDECAR, sidecar)
        run.stop()
    _, product = both(folder)
    assert product.found == ({"what": "dots"},)
    assert product.analyses == ({"what": "peak", "value": 2.3},)
    assert product.sidecars == (sidecar,)
    with h5py.File(product.path, "r") as file:
        kept = file["entry/labctl/other_records/s0_1_found/positions"]
        assert isinstance(kept, h5py.Dataset)
        assert kept[()].tolist() == dots.values.tolist()
        assert kept.attrs["units"] == "um"


def test_segments_become_one_run(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        run.point(0)
        run.point(1)
        utc = run.utc + timedelta(minutes=5)
    with scribe("run.s1.lcj", segment=1, now_s=3.0, utc=utc) as run:
        data = {"number": 1, "continues": "abcdef0123456789", "reason": "power cut"}
        run.writer.append(RecordKind.SEGMENT, data)
        run.point(1, attempt=1, quality=int(Quality.OVERLAP))
        run.point(2)
        assert read_run(folder).status is RunStatus.RUNNING
        run.stop()
    journal, product = both(folder)
    assert journal.status is product.status is RunStatus.COMPLETE
    assert [part.reason for part in product.segments] == ["", "power cut"]
    assert product.segments[0].stop is None
    assert product.points["time_s"].values.tolist() == [10.0, 20.0, 330.0, 340.0]
    assert product.points["segment"].values.tolist() == [0, 0, 1, 1]
    assert product.data["spectrum"]["segment"].values.tolist() == [0, 1, 1]
    assert read_run(folder / "run.s1.lcj").data["spectrum"].sizes["point"] == 3


def test_a_missing_segment_is_an_error(scribe: Begin, folder: Path) -> None:
    scribe().writer.close()
    scribe("run.s2.lcj", segment=2).writer.close()
    with pytest.raises(StorageError, match="not a whole run"):
        read_run(folder)


def test_records_of_a_later_version_are_skipped_and_counted(finished: Path, folder: Path) -> None:
    with read_journal(finished) as reader:
        records = list(reader)
    raw = next(r.raw_header for r in records if r.kind == "event").replace(
        b'"event"', b'"hologram"'
    )
    raw = re.sub(rb'"seq":\d+', b'"seq":%d' % len(records), raw)
    with finished.open("ab") as file:
        file.write(frame(raw, [])[0])
    _, product = both(folder)
    assert product.unknown_kinds == {"hologram": 1}
    assert len(product.events) == 1


def test_a_torn_journal_is_reported(finished: Path, folder: Path) -> None:
    finished.write_bytes(finished.read_bytes()[:-3])
    run = read_run(folder)
    assert run.status is RunStatus.CRASHED
    assert run.tails[0].state is TailState.INCOMPLETE


def test_what_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no journal and no product"):
        read_run(tmp_path)
    (tmp_path / "a.nxs").write_bytes(b"no HDF5")
    with pytest.raises(StorageError, match="cannot be read as HDF5"):
        read_run(tmp_path / "a.nxs")
    with h5py.File(tmp_path / "b.nxs", "w") as file:
        file.create_group("entry")
    with pytest.raises(StorageError, match="holds no run of labctl"):
        read_run(tmp_path / "b.nxs")


@st.composite
def points(draw: st.DrawFn) -> list[dict[str, Any]]:
    dtypes = st.sampled_from(["?", "u1", "<u2", "<u4", "<i8", "<f4", "<f8"])
    shapes = hnp.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3)
    units = st.sampled_from(["", "nm", "counts"])
    names = st.sampled_from(["counts", "wavelength", "energy", "raw", "x", "quality"])
    quantities = st.dictionaries(
        st.sampled_from(["a.b", "a_b", "c.counts", "stage.x", "laser.fluence"]),
        st.fixed_dictionaries(
            {
                "value": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                "units": st.sampled_from(["", "K", "um"]),
            }
        ),
        max_size=2,
    )
    found: list[dict[str, Any]] = []
    for index in range(draw(st.integers(0, 4))):
        arrays: list[ArrayItem] = []
        for name in draw(st.lists(names, max_size=2, unique=True)):
            values = draw(hnp.arrays(draw(dtypes), draw(shapes)))
            axes = tuple(f"{'xyz'[n]}{length}" for n, length in enumerate(values.shape))
            arrays.append(ArrayItem(name, values, draw(units), axes))
        found.append(
            {
                "index": draw(st.integers(0, index)),
                "arrays": arrays,
                "measurement": draw(st.sampled_from(["spectrum", "trpl", "spectra", "own"])),
                "label": draw(st.sampled_from(["", "a", "2"])),
                "set": draw(quantities),
                "read": draw(quantities),
            }
        )
    return found


@settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(plan=points())
def test_any_run_reads_the_same_from_journal_and_product(
    plan: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
    new_scribe: Callable[[Path], Any],
) -> None:
    folder = tmp_path_factory.mktemp("run")
    with new_scribe(folder / "run.lcj") as run:
        run.start()
        for point in plan:
            run.point(**point)
        run.stop()
    both(folder)
