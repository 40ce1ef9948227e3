"""Raw records of whole runs, in the readers of other projects: finished, and while they grow."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labctl.events import Event
from labctl.host import RunRequest
from labctl.photons import PtuFlag, RecordType, read_ptu
from live_bench import LiveRun, once, run_live
from photon_setup import PhotonBench

HERE = Path(__file__).parent
CASES = [
    (driver, mode) for driver in ("picoharp300", "hydraharp400", "multiharp150") for mode in (2, 3)
]
READERS = ("ptufile", "tttrlib", "phconvert")


def ask(folder: Path, driver: str, mode: int) -> RunRequest:
    """Two detectors; a PicoHarp 300 takes them at sync and input in T2, and one of them in T3."""
    words: dict[str, Any] = {"DRIVER": f"picoquant.{driver}"}
    detectors = ""
    if driver == "picoharp300" and mode == 2:
        words |= {"channel: 1": "channel: 0", "channel: 2": "channel: 1"}
    elif driver == "picoharp300":
        detectors = "detectors: [apd_1], "
    step = f"photons: {{{detectors}mode: t{mode}, center: 531 nm, stop: {{time: 1.5 s}}}}"
    return PhotonBench(folder).ask(step, **words)


def read(python: Path, which: str, *paths: Path) -> Any:
    """What other projects read."""
    done = subprocess.run(
        [str(python), str(HERE / "client_ptu_readers.py"), which, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def nothing(_event: Event, _live: LiveRun) -> None:
    """Only look."""


def raw(live: LiveRun) -> Path:
    (entry,) = live.run.sidecars
    path = live.run.path.parent / str(entry["name"])
    assert path.name == f"{live.run.path.stem}_p0000.ptu"
    return path


def stored(live: LiveRun) -> list[int]:
    """Photons of each detector by the books that are stored, which the decays agree with."""
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    data = live.run.data["photons"]
    names = [f"photons_detectors_{name}_counts" for name in ("apd_1", "apd_2")]
    counts = [int(data[name].values[0]) for name in names if name in data.coords]
    if "decays" in data:
        assert data["decays"].values[0].sum(axis=-1).tolist() == counts
    return counts


def in_first_bin(path: Path) -> int:
    """Photons of a PicoHarp T3 file in time bin 0; tttrlib 0.26 takes them for markers."""
    words = read_ptu(path).records()
    return int(((words >> 28 != 15) & ((words >> 16) & 0xFFF == 0)).sum())


def test_other_readers_count_what_is_stored(clients_python: Path, tmp_path: Path) -> None:
    runs: list[LiveRun] = []
    for number, (driver, mode) in enumerate(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        runs.append(run_live(ask(folder, driver, mode), nothing))
    paths = [raw(live) for live in runs]
    kinds = [read_ptu(path).stream.format.record_type for path in paths]
    assert kinds == [
        RecordType.PICOHARP_T2,
        RecordType.PICOHARP_T3,
        RecordType.HYDRAHARP2_T2,
        RecordType.HYDRAHARP2_T3,
        RecordType.GENERIC_T2,
        RecordType.GENERIC_T3,
    ]
    for live, path, found in zip(runs, paths, read(clients_python, "all", *paths), strict=True):
        wanted = stored(live)
        assert min(wanted) > 1000
        columns = {name: list(found[name].values()) for name in READERS}
        for name in READERS:
            counts = [count for count, _, _ in columns[name]]
            if (name, path) == ("tttrlib", paths[1]):
                assert counts == [wanted[0] - in_first_bin(path)]
                continue
            assert counts == wanted, (path, name)
            # Sums of times and of delays, channel by channel.
            assert columns[name] == columns["ptufile"], (path, name)


@pytest.mark.parametrize("driver", ["hydraharp400", "multiharp150"])
def test_ptufile_reads_a_file_that_grows(clients_python: Path, tmp_path: Path, driver: str) -> None:
    seen: list[dict[str, Any]] = []

    def look(live: LiveRun) -> None:
        (path,) = (tmp_path / "data").rglob("*_p0000.ptu")
        seen.extend(read(clients_python, "ptufile", path))
        shutil.copy(path, tmp_path / "snapshot.ptu")

    def late(event: Event) -> bool:
        return event.kind == "live_result" and event.values["live_time_s"] >= 1.0

    live = run_live(ask(tmp_path, driver, 3), once(late, look))
    (found,) = seen
    part = [count for count, _, _ in found["ptufile"].values()]
    whole = stored(live)
    assert all(0.5 * of < count < of for count, of in zip(part, whole, strict=True))
    snapshot = read_ptu(tmp_path / "snapshot.ptu")
    records = snapshot.records()
    assert PtuFlag.PARTIAL_RECORD not in snapshot.flags
    # What was read then is the beginning of what lies there now.
    assert (records == read_ptu(raw(live)).records()[: len(records)]).all()
    (again,) = read(clients_python, "ptufile", tmp_path / "snapshot.ptu")
    assert again == found
