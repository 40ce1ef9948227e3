"""QMI's drivers over the stand-ins, and files made of their records in other projects' readers."""

import base64
import json
import re
import socketserver
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.clock import RealClock
from labctl_sim.picoquant._replay import decode
from tcspc_bench import MODULES, T2, T3, TcspcBench, make_world

HERE = Path(__file__).parent
SIMULATORS = HERE.parents[1] / "sim_devices"
OF_QMI = ("MH", "HH")
RECORDS = {
    ("PH", T2): 0x00010203,
    ("PH", T3): 0x00010303,
    ("HH", T2): 0x01010204,
    ("HH", T3): 0x01010304,
    ("MH", T2): 0x00010207,
    ("MH", T3): 0x00010307,
    ("PH330", T2): 0x00010207,
    ("PH330", T3): 0x00010307,
}
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([^']+)'")
_EPOCH = struct.pack("<d", 45000.0)


def run(python: Path, name: str, *arguments: str) -> Any:
    """Run a client; give what it printed last."""
    done = subprocess.run(
        [str(python), str(HERE / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
    )
    missing = _MISSING.search(done.stderr)
    if missing:
        pytest.skip(f"{python} does not have {missing[1]}, see tests/clients/requirements*.txt")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


class Served:
    """A module behind a port; keeps the records that were read, by run."""

    def __init__(self, model: str, clock: RealClock) -> None:
        self.world = make_world(clock.now, clock.schedule)
        self.module = MODULES[model]("tcspc", self.world, {}, {})
        self.runs: list[list[bytes]] = []
        answer = self.answer

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(answer(line))

        self.server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def answer(self, line: bytes) -> bytes:
        method, arguments = json.loads(line)
        code, values = self.module.call(method, arguments)
        if method == "StartMeas":
            self.runs.append([])
        if method == "ReadFiFo" and self.runs and code == 0:
            self.runs[-1].append(values[0])
        plain = [
            f"base64:{base64.b64encode(value).decode()}" if isinstance(value, bytes) else value
            for value in values
        ]
        return json.dumps([code, plain]).encode() + b"\n"

    def records(self, number: int) -> NDArray[np.uint32]:
        return np.frombuffer(b"".join(self.runs[number]), "<u4")

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def clock() -> Iterator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


def drive(
    python: Path, clock: RealClock, model: str, client: str, *arguments: str
) -> tuple[Served, Any]:
    """Let a client use a module; give the module and what the client found."""
    served = Served(model, clock)
    try:
        port = str(served.server.server_address[1])
        got = run(python, client, "127.0.0.1", port, *arguments, str(SIMULATORS))
    finally:
        served.close()
    return served, got


@pytest.mark.skipif(sys.platform != "linux", reason="QMI loads the library by its Linux name")
@pytest.mark.parametrize("model", OF_QMI)
def test_qmi_drives_a_module(clients_python: Path, clock: RealClock, model: str) -> None:
    served, got = drive(clients_python, clock, model, "client_qmi_picoquant", model)
    form = served.module.model.form
    ticks, _, channels = decode(served.records(0), form, t3=False)
    assert len(ticks) > 1000
    for channel in range(2):
        mine = ticks[channels == channel]
        assert got["T2"][str(channel)] == [len(mine), int(mine.sum())]
    syncs, _, channels = decode(served.records(1), form, t3=True)
    for channel in range(2):
        assert got["T3"][str(channel)][0] == int((channels == channel).sum())
    assert got["T3"]["64"][0] == len(np.unique(syncs)), "QMI adds one event per sync"
    assert got["resolution_ps"] == served.module.model.base_ps
    assert got["info"][0] == served.module.model.name
    assert got["inputs"] == served.module.model.inputs
    assert got["histogram"] > 1000
    assert got["sync_hz"] == 10_000_000
    assert min(got["rates_hz"]) > 4000
    assert (got["flags"], got["warnings"]) == ([], [])


def test_miniquant_drives_a_hydraharp(clients_python: Path, clock: RealClock) -> None:
    served, got = drive(clients_python, clock, "HH", "client_miniquant")
    assert got["features"] == ["DLL", "TTTR", "MARKERS"]
    assert got["base"] == [pytest.approx(1e-12), 26]
    assert got["resolution_s"] == pytest.approx(16e-12)
    assert got["sync_hz"] == 10_000_000
    assert min(got["rates_hz"]) > 4000
    # 8192 bins of 16 ps cover the 100 ns between two pulses.
    assert got["warnings"] == []
    assert got["modules"] == [{"code": int(served.module.model.part), "version": 1}]
    assert got["module_of"] == [0, 0]
    assert (got["flags_running"], got["flags_after"]) == (["ACTIVE"], [])
    histograms = np.array(got["histograms"])
    assert histograms.shape == (2, 8192)
    # The rate meters looked for 0.1 s before; both counts are Poissonian.
    for counts, rate_hz in zip(histograms.sum(axis=1), got["rates_hz"], strict=True):
        spread = (0.5 * rate_hz + 0.25 * 10.0 * rate_hz) ** 0.5
        assert counts == pytest.approx(0.5 * rate_hz, abs=5.0 * spread + 0.02 * counts)
    assert got["refused"] == "Harp error: ERROR_INVALID_ARGUMENT (-17)"


@pytest.mark.parametrize("model", MODULES)
def test_the_documented_order_of_calls(clients_python: Path, clock: RealClock, model: str) -> None:
    served, got = drive(clients_python, clock, model, "client_call_sequence", model)
    kind = served.module.model
    assert got["identity"] == [kind.library, kind.serial]
    assert got["info"] == [kind.name, kind.part, kind.hardware]
    assert got["warnings"] == []
    for number, mode in enumerate(("T2", "T3")):
        words = served.records(number).astype("<u4")
        assert len(words) > 1000
        assert got[mode] == {"words": len(words), "crc": zlib.crc32(words.tobytes())}
    several = 1 if model == "PH" else 2
    assert len(got["histogram"]) == kind.inputs
    assert [total > 1000 for total in got["histogram"]] == [i < several for i in range(kind.inputs)]
    assert got["closed"] == [0, *[-10] * 7]


def ptu(records: NDArray[np.uint32], kind: int, mode: int, tick_s: float, bin_s: float) -> bytes:
    """A file as small as both readers accept."""

    def tag(name: str, code: int, value: bytes) -> bytes:
        return struct.pack("<32siI8s", name.encode(), -1, code, value)

    whole, real = struct.Struct("<q").pack, struct.Struct("<d").pack
    head = b"PQTTTR\0\0" + b"1.0.00\0\0"
    head += tag("File_CreatingTime", 0x21000008, _EPOCH)
    head += tag("Measurement_Mode", 0x10000008, whole(mode))
    head += tag("Measurement_SubMode", 0x10000008, whole(0))
    head += tag("TTResultFormat_TTTRRecType", 0x10000008, whole(kind))
    head += tag("TTResultFormat_BitsPerRecord", 0x10000008, whole(32))
    head += tag("MeasDesc_GlobalResolution", 0x20000008, real(tick_s))
    head += tag("MeasDesc_Resolution", 0x20000008, real(bin_s))
    head += tag("MeasDesc_AcquisitionTime", 0x10000008, whole(300))
    head += tag("TTResult_SyncRate", 0x10000008, whole(10_000_000))
    head += tag("TTResult_NumberOfRecords", 0x10000008, whole(len(records)))
    head += tag("Header_End", 0xFFFF0008, whole(0))
    return head + records.astype("<u4").tobytes()


def test_two_other_readers_see_the_same_photons(clients_python: Path, tmp_path: Path) -> None:
    paths: list[str] = []
    wanted: list[dict[str, list[int]]] = []
    for (prefix, mode), kind in RECORDS.items():
        bench = TcspcBench(prefix)
        bench.open(mode)
        records, model = bench.acquire(300), bench.kind.model
        tick_s = 1e-7 if mode == T3 else 1e-12 * model.base_ps
        path = tmp_path / f"{prefix}_{mode}.ptu"
        path.write_bytes(ptu(records, kind, mode, tick_s, 1e-12 * model.base_ps))
        paths.append(str(path))
        ticks, delays, channels = decode(records, model.form, t3=mode == T3)
        wanted.append(
            {
                str(c): [
                    int((channels == c).sum()),
                    int(ticks[channels == c].sum()),
                    int(delays[channels == c].sum()),
                ]
                for c in np.unique(channels)
            }
        )
        assert bench.library.errors == []
    found = run(clients_python, "client_ptu_readers", "ptufile,tttrlib", *paths)
    for path, mine, read in zip(paths, wanted, found, strict=True):
        assert read["ptufile"] == mine, path
        if Path(path).name == "PH_3.ptu":
            # tttrlib counts the PicoHarp's channels from 1 here.
            read["tttrlib"] = {str(int(c) - 1): v for c, v in read["tttrlib"].items()}
        assert read["tttrlib"] == mine, path
