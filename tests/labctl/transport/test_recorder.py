import ctypes
import json
from pathlib import Path

from labctl.clock import VirtualClock
from labctl.transport import FlightRecorder, RecordedLibrary


def test_exchanges_of_all_devices_in_order() -> None:
    clock = VirtualClock()
    recorder = FlightRecorder(clock)
    recorder.sent("cryo", b"03GPT", "GPT")
    recorder.sent("mono", b"?NM\r", "?NM")
    clock.sleep(0.5)
    recorder.received("cryo", b"054.201\xff")
    recorder.note("mono", "closed")
    assert recorder.dump() == [
        {"t_s": 0.0, "device": "cryo", "sent": "03GPT", "command": "GPT"},
        {"t_s": 0.0, "device": "mono", "sent": "?NM\r", "command": "?NM"},
        {"t_s": 0.5, "device": "cryo", "received": "054.201\xff"},
        {"t_s": 0.5, "device": "mono", "note": "closed"},
    ]
    assert [entry["device"] for entry in recorder.dump("mono")] == ["mono", "mono"]


def test_ring_keeps_the_last_of_each_device(tmp_path: Path) -> None:
    recorder = FlightRecorder(VirtualClock(), depth=3)
    recorder.note("quiet", "opened")
    for number in range(10):
        recorder.sent("busy", str(number).encode(), "")
    assert [entry.get("sent") for entry in recorder.dump("busy")] == ["7", "8", "9"]
    assert len(recorder.dump("quiet")) == 1
    recorder.save_tape("busy", tmp_path / "t")
    header = json.loads((tmp_path / "t").read_text(encoding="utf-8").splitlines()[0])
    assert header == {"tape": 1, "device": "busy", "lost": 7}


def test_library_calls_are_recorded_as_plain_values() -> None:
    class Library:
        def get_parameter(self, handle: int, value: object) -> int:
            return 4 if handle else 0

    recorder = FlightRecorder(VirtualClock())
    library = RecordedLibrary(Library(), recorder.library_log("camera"))
    value = ctypes.c_int(7)
    library.get_parameter(12, ctypes.byref(value))
    entry = recorder.dump("camera")[0]
    assert entry["called"] == "get_parameter"
    assert entry["arguments"] == [12, 7]
    assert entry["returned"] == 4
    json.dumps(recorder.dump())


def test_long_entries_are_cut_in_a_dump_only(tmp_path: Path) -> None:
    recorder = FlightRecorder(VirtualClock())
    recorder.received("mono", b"x" * 10_000)
    assert len(recorder.dump()[0]["received"]) == 4096
    recorder.save_tape("mono", tmp_path / "t")
    assert (tmp_path / "t").stat().st_size > 10_000


def test_a_pointer_into_a_library_is_not_followed() -> None:
    """It may lead to image memory, or to nothing any more."""
    recorder = FlightRecorder(VirtualClock())
    address = 0x10
    recorder.called("camera", "is_FreeImageMem", (ctypes.c_char_p(address), 1), 0)
    recorder.called("camera", "is_GetActSeqBuf", (ctypes.byref(ctypes.c_char_p(None)),), 0)
    found = [entry["arguments"] for entry in recorder.dump("camera")]
    assert found == [["0x10", 1], ["0x0"]]
