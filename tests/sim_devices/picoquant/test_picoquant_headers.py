"""Every function of the vendor's headers, with the kinds of its arguments, against the stand-ins.

Facts from ``phlib.h`` 3.0 (2015), ``hhlib.h`` 3.0 (2019), ``mhlib.h`` 3.1 (2022) and
``ph330lib.h`` 2.0 (2024), in the makers' public demos. Every function gives an int and takes the
device's index first, but for the two of ``WITHOUT_INDEX``.
"""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labctl_sim.picoquant._functions import (
    ABSENT,
    HH_FUNCTIONS,
    MH_FUNCTIONS,
    PH330_FUNCTIONS,
    PH_FUNCTIONS,
)
from tcspc_bench import HIST, MODULES, T3, TcspcBench

Make = Callable[..., TcspcBench]
STAND_INS = {
    "PH": PH_FUNCTIONS,
    "HH": HH_FUNCTIONS,
    "MH": MH_FUNCTIONS,
    "PH330": PH330_FUNCTIONS,
}
WITHOUT_INDEX = {"GetLibraryVersion": "char*", "GetErrorString": "char* int"}
INT2, INT3, INT4 = "int int", "int int int", "int int int int"
ALL = {
    "OpenDevice": "char*",
    "CloseDevice": "",
    "GetHardwareInfo": "char* char* char*",
    "GetSerialNumber": "char*",
    "GetFeatures": "int*",
    "GetBaseResolution": "double* int*",
    "SetSyncDiv": "int",
    "SetBinning": "int",
    "SetOffset": "int",
    "StartMeas": "int",
    "StopMeas": "",
    "CTCStatus": "int*",
    "GetResolution": "double*",
    "GetCountRate": "int int*",
    "GetFlags": "int*",
    "GetElapsedMeasTime": "double*",
    "GetWarnings": "int*",
    "GetWarningsText": "char* int",
    "SetMarkerEnable": INT4,
    "SetMarkerEdges": INT4,
    "SetMarkerHoldoffTime": "int",
}
LATER = ALL | {
    "Initialize": INT2,
    "GetNumOfInputChannels": "int*",
    "SetSyncChannelOffset": "int",
    "SetInputChannelOffset": INT2,
    "SetInputChannelEnable": INT2,
    "SetStopOverflow": "int unsigned",
    "SetHistoLen": "int int*",
    "SetMeasControl": INT3,
    "ClearHistMem": "",
    "GetSyncPeriod": "double*",
    "GetSyncRate": "int*",
}
EDGES = LATER | {
    "SetSyncEdgeTrg": INT2,
    "SetSyncChannelEnable": "int",
    "SetSyncDeadTime": INT2,
    "SetInputEdgeTrg": INT3,
    "SetInputDeadTime": INT3,
    "SetInputHysteresis": "int",
    "SetTriggerOutput": "int",
    "GetHistogram": "unsigned* int",
    "GetAllHistograms": "unsigned*",
    "GetAllCountRates": "int* int*",
    "SetOflCompression": "int",
    "ReadFiFo": "unsigned* int*",
    "GetDebugInfo": "char*",
}
HEADERS = {
    "PH": ALL
    | {
        "Initialize": "int",
        "GetHardwareDebugInfo": "char*",
        "Calibrate": "",
        "SetInputCFD": INT3,
        "SetSyncOffset": "int",
        "SetStopOverflow": INT2,
        "SetMultistopEnable": "int",
        "ClearHistMem": "int",
        "GetHistogram": "unsigned* int",
        "ReadFiFo": "unsigned* int int*",
        "GetRouterVersion": "char* char*",
        "GetRoutingChannels": "int*",
        "EnableRouting": "int",
        "SetRoutingChannelOffset": INT2,
        "SetPHR800Input": INT3,
        "SetPHR800CFD": INT3,
    },
    "HH": LATER
    | {
        "GetHardwareDebugInfo": "char*",
        "GetNumOfModules": "int*",
        "GetModuleInfo": "int int* int*",
        "GetModuleIndex": "int int*",
        "Calibrate": "",
        "SetSyncCFD": INT2,
        "SetInputCFD": INT3,
        "GetHistogram": "unsigned* int int",
        "ReadFiFo": "unsigned* int int*",
        "GetContModeBlock": "void* int*",
    },
    "MH": EDGES
    | {
        "GetNumOfModules": "int*",
        "GetModuleInfo": "int int* int*",
        "GetStartTime": "unsigned* unsigned* unsigned*",
        "SetRowEventFilter": "int int int int int int",
        "EnableRowEventFilter": INT2,
        "SetMainEventFilterParams": INT3,
        "SetMainEventFilterChannels": INT3,
        "EnableMainEventFilter": "int",
        "SetFilterTestMode": "int",
        "GetRowFilteredRates": "int* int*",
        "GetMainFilteredRates": "int* int*",
        "WRabbitGetMAC": "char*",
        "WRabbitSetMAC": "char*",
        "WRabbitGetInitScript": "char*",
        "WRabbitSetInitScript": "char*",
        "WRabbitGetSFPData": "char* int* int* int*",
        "WRabbitSetSFPData": "char* int* int* int*",
        "WRabbitInitLink": "int",
        "WRabbitSetMode": INT3,
        "WRabbitSetTime": "unsigned unsigned",
        "WRabbitGetTime": "unsigned* unsigned* unsigned*",
        "WRabbitGetStatus": "int*",
        "WRabbitGetTermOutput": "char* int*",
        "ExtFPGAInitLink": INT2,
        "ExtFPGAGetLinkStatus": "int unsigned*",
        "ExtFPGASetMode": INT2,
        "ExtFPGAResetStreamFifos": "",
        "ExtFPGAUserCommand": "int unsigned unsigned*",
    },
    "PH330": EDGES
    | {
        "GetModuleInfo": "int* int*",
        "SetSyncTrgMode": "int",
        "SetSyncCFD": INT2,
        "SetInputTrgMode": INT2,
        "SetInputCFD": INT3,
        "SetEventFilterParams": INT3,
        "SetEventFilterChannels": INT2,
        "EnableEventFilter": "int",
        "SetFilterTestMode": "int",
        "GetFilterInputRates": "int* int*",
        "GetFilterOutputRates": "int* int*",
        "SaveDebugDump": "char*",
    },
}
KINDS = {
    "i": {"int"},
    "u": {"unsigned"},
    "I": {"int*"},
    "U": {"unsigned*"},
    "D": {"double*"},
    "B": {"unsigned*", "int*"},
    "T": {"char*"},
    "P": {"char*", "int*", "unsigned*", "void*"},
}
ROOM = 4 * 65536 * 512
PREFIX = pytest.mark.parametrize("prefix", HEADERS)


def arguments(prefix: str, name: str) -> list[str]:
    """Kinds of a function's arguments by the header."""
    if name in WITHOUT_INDEX:
        return WITHOUT_INDEX[name].split()
    return ["int", *HEADERS[prefix][name].split()]


@PREFIX
def test_the_names_are_those_of_the_header(tcspc: Make, prefix: str) -> None:
    wanted = set(HEADERS[prefix]) | set(WITHOUT_INDEX)
    assert set(STAND_INS[prefix]) == wanted
    library = tcspc(prefix).library
    offered = {name for name in dir(library) if name.startswith(f"{prefix}_")}
    assert offered == {f"{prefix}_{name}" for name in wanted}


@PREFIX
def test_the_arguments_are_those_of_the_header(prefix: str) -> None:
    for name, words in STAND_INS[prefix].items():
        found = [KINDS.get(word, {"char*"}) for word in words.split()]
        wanted = arguments(prefix, name)
        assert len(found) == len(wanted), name
        assert all(kind in kinds for kind, kinds in zip(wanted, found, strict=True)), name


def given(kind: str, room: Any) -> Any:
    """An argument as a client declares it."""
    plain = {"int": ctypes.c_int(0), "unsigned": ctypes.c_uint(1)}
    pointers: dict[str, Any] = {
        "char*": ctypes.c_char_p,
        "int*": ctypes.POINTER(ctypes.c_int),
        "unsigned*": ctypes.POINTER(ctypes.c_uint),
        "double*": ctypes.POINTER(ctypes.c_double),
        "void*": ctypes.c_void_p,
    }
    return plain[kind] if kind in plain else ctypes.cast(room, pointers[kind])


@PREFIX
def test_every_function_answers_a_call_of_its_own_kind(
    tcspc: Make, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bench = tcspc(prefix)
    room = ctypes.create_string_buffer(ROOM)
    codes: dict[str, int] = {}
    last = ["StopMeas", "CloseDevice"]
    for name in [*(n for n in STAND_INS[prefix] if n not in last), *last]:
        bench.run("CloseDevice")
        bench.open(HIST)
        room.value = b"dump.txt"
        function = getattr(bench.library, f"{prefix}_{name}")
        codes[name] = function(*(given(kind, room) for kind in arguments(prefix, name)))
    assert set(codes.values()) <= {0, -17, -18, -19}
    refused = {name for name, code in codes.items() if code == -19}
    router = {"EnableRouting", "GetRouterVersion", "SetPHR800Input", "SetPHR800CFD"}
    assert refused == set(STAND_INS[prefix]) & (ABSENT | router)
    # No records and no blocks in histogram mode; 0 is no divider, time, stop count or number.
    assert {name for name, code in codes.items() if code == -18} <= {"ReadFiFo", "GetContModeBlock"}
    bad = {"SetSyncDiv", "StartMeas", "SetStopOverflow", "ReadFiFo"}
    assert {name for name, code in codes.items() if code == -17} <= bad
    assert bench.library.errors == []


@PREFIX
def test_features_tell_what_the_unit_was_bought_with(tcspc: Make, prefix: str) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    found = bench.number("GetFeatures")
    assert found & 0x7 == 0x7
    # Neither an external FPGA nor an event filter.
    assert found & 0x140 == 0
    edges = prefix in ("MH", "PH330")
    # Trigger output, dead times, hysteresis.
    assert (found & 0xB0 == 0xB0) is edges
    assert hasattr(bench.library, f"{prefix}_SetInputHysteresis") is edges


@pytest.mark.parametrize(
    ("prefix", "most_ns"), [("PH", 210480), ("HH", 524296), ("MH", 25500), ("PH330", 25500)]
)
def test_the_longest_hold_off(tcspc: Make, prefix: str, most_ns: int) -> None:
    bench = tcspc(prefix)
    bench.open(T3)
    assert bench.run("SetMarkerHoldoffTime", most_ns) == 0
    assert bench.run("SetMarkerHoldoffTime", most_ns + 1) == -17


def test_continuous_mode_is_refused(tcspc: Make) -> None:
    bench = tcspc("HH")
    bench.run("OpenDevice", ctypes.create_string_buffer(8))
    assert bench.run("Initialize", 8, 0) == -18


def test_a_module_of_a_picoharp_330_has_no_number(tcspc: Make) -> None:
    bench = tcspc("PH330")
    bench.open(T3)
    code, version = ctypes.c_int(), ctypes.c_int()
    assert bench.run("GetModuleInfo", ctypes.byref(code), ctypes.byref(version)) == 0
    assert code.value == int(MODULES["PH330"].model.part)
    assert version.value == 1


def test_every_input_of_a_hydraharp_is_on_its_module(tcspc: Make) -> None:
    bench = tcspc("HH")
    bench.open(T3)
    assert [bench.number("GetModuleIndex", channel) for channel in (0, 1)] == [0, 0]
    assert bench.run("GetModuleIndex", 2, ctypes.byref(ctypes.c_int())) == -17


def test_a_switched_off_sync_gives_no_sync_events(tcspc: Make) -> None:
    bench = tcspc("MH", t2_sync="laser")
    bench.open(T3)
    assert bench.run("SetSyncChannelEnable", 0) == 0
    bench.clock.advance(0.3)
    assert bench.number("GetSyncRate") == 0
    assert bench.run("SetSyncChannelEnable", 2) == -17


def test_a_multiharp_tells_when_it_began(tcspc: Make) -> None:
    bench = tcspc("MH")
    bench.open(T3)
    bench.clock.advance(100.0)
    began_ps = round(bench.clock.now() * 1e12)
    bench.run("StartMeas", 100)
    words = [ctypes.c_uint() for _ in range(3)]
    assert bench.run("GetStartTime", *(ctypes.byref(word) for word in words)) == 0
    high, middle, low = (word.value for word in words)
    assert (high << 64) + (middle << 32) + low == began_ps


def test_a_dump_of_a_picoharp_330(tcspc: Make, tmp_path: Path) -> None:
    bench = tcspc("PH330")
    bench.open(T3)
    path = tmp_path / "dump.txt"
    assert bench.run("SaveDebugDump", str(path).encode()) == 0
    assert "PicoHarp 330" in path.read_text("latin-1")
    assert bench.run("SaveDebugDump", str(tmp_path / "nowhere" / "dump.txt").encode()) == -17
    assert bench.run("SaveDebugDump", None) == -20
