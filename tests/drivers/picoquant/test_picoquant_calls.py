"""The whole sequences of calls, name by name and argument by argument, of the four libraries."""

from collections.abc import Callable
from typing import Any

import pytest

from labctl.errors import RefusedError
from labctl.photons import RecordType
from labctl.roles import TaggerSettings

CONNECT = {
    "PH": [
        "GetLibraryVersion",
        "OpenDevice 0",
        "Initialize 0 0",
        "Calibrate 0",
        "GetHardwareInfo 0",
        "GetBaseResolution 0",
    ],
    "HH": [
        "GetLibraryVersion",
        "OpenDevice 0",
        "Initialize 0 0 0",
        "Calibrate 0",
        "GetHardwareInfo 0",
        "GetNumOfInputChannels 0",
        "GetBaseResolution 0",
    ],
    "MH": [
        "GetLibraryVersion",
        "OpenDevice 0",
        "Initialize 0 0 0",
        "GetHardwareInfo 0",
        "GetNumOfInputChannels 0",
        "GetBaseResolution 0",
    ],
}
CONNECT["PH330"] = CONNECT["MH"]

SET_UP: dict[str, dict[str, Any]] = {
    "PH": {
        "sync": {"level": "100 mV", "zero_cross": "12 mV", "offset": "-250 ps"},
        "inputs": {1: {"level": "200 mV"}},
        "markers": {1: "rising", 3: "falling"},
    },
    "HH": {
        "reference": "external",
        "sync": {"level": "100 mV", "zero_cross": "12 mV", "offset": "-250 ps"},
        "inputs": {2: {"level": "0.2 V", "offset": "1 ns", "enabled": False}},
        "markers": {1: "rising", 3: "falling"},
    },
    "MH": {
        "sync": {"level": "-100 mV", "edge": "rising", "offset": "-250 ps", "dead_time": "1 ns"},
        "inputs": {2: {"level": "50 mV", "offset": "1 ns", "dead_time": "2 ns"}},
        "markers": {1: "rising", 3: "falling"},
        "overflow_hold": "4 ms",
    },
    "PH330": {
        "sync": {"trigger": "cfd", "level": "-100 mV", "zero_cross": "-12 mV"},
        "inputs": {2: {"level": "50 mV", "edge": "rising"}},
    },
}

CHANNELS = {
    "PH": ["SetInputCFD 0 0 100 12", "SetSyncOffset 0 -250", "SetInputCFD 0 1 200 10"],
    "HH": [
        "SetSyncCFD 0 100 12",
        "SetSyncChannelOffset 0 -250",
        "SetInputCFD 0 0 50 10",
        "SetInputChannelOffset 0 0 0",
        "SetInputChannelEnable 0 0 1",
        "SetInputCFD 0 1 200 10",
        "SetInputChannelOffset 0 1 1000",
        "SetInputChannelEnable 0 1 0",
    ],
    "MH": [
        "SetSyncEdgeTrg 0 -100 1",
        "SetSyncChannelOffset 0 -250",
        "SetSyncChannelEnable 0 {sync}",
        "SetSyncDeadTime 0 1 1000",
        "SetInputEdgeTrg 0 0 -50 0",
        "SetInputChannelOffset 0 0 0",
        "SetInputChannelEnable 0 0 1",
        "SetInputEdgeTrg 0 1 50 0",
        "SetInputChannelOffset 0 1 1000",
        "SetInputChannelEnable 0 1 1",
        "SetInputDeadTime 0 1 1 2000",
    ],
    "PH330": [
        "SetSyncTrgMode 0 1",
        "SetSyncCFD 0 -100 -12",
        "SetSyncChannelOffset 0 0",
        "SetSyncChannelEnable 0 {sync}",
        "SetInputTrgMode 0 0 0",
        "SetInputEdgeTrg 0 0 -50 0",
        "SetInputChannelOffset 0 0 0",
        "SetInputChannelEnable 0 0 1",
        "SetInputTrgMode 0 1 0",
        "SetInputEdgeTrg 0 1 50 1",
        "SetInputChannelOffset 0 1 0",
        "SetInputChannelEnable 0 1 1",
    ],
}
START = {"PH": ["Calibrate 0"], "HH": ["Calibrate 0"], "MH": [], "PH330": []}
REFERENCE = {"PH": "", "HH": " 1", "MH": " 0", "PH330": " 0"}
HOLD = {"PH": [], "HH": [], "MH": ["SetOflCompression 0 4"], "PH330": ["SetOflCompression 0 2"]}
MARKERS = {"PH": ["SetMarkerEdges 0 1 0 0 0", "SetMarkerEnable 0 1 0 1 0"]}
MARKERS["HH"] = MARKERS["MH"] = MARKERS["PH"]
MARKERS["PH330"] = ["SetMarkerEdges 0 0 0 0 0", "SetMarkerEnable 0 0 0 0 0"]
OFFSET = {"PH": "SetOffset 0 3000", "HH": "SetOffset 0 3", "MH": "SetOffset 0 3"}
OFFSET["PH330"] = OFFSET["MH"]
HISTOGRAM = {
    "PH": ["SetMultistopEnable 0 1", "SetStopOverflow 0 0 65535"],
    "HH": ["SetStopOverflow 0 1 4294967295", "SetHistoLen 0 6"],
}
HISTOGRAM["MH"] = HISTOGRAM["PH330"] = HISTOGRAM["HH"]
CLEAR = {"PH": "ClearHistMem 0 0", "HH": "ClearHistMem 0"}
CLEAR["MH"] = CLEAR["PH330"] = CLEAR["HH"]
READ = {"PH": "ReadFiFo 0 131072", "HH": "ReadFiFo 0 131072", "MH": "ReadFiFo 0"}
READ["PH330"] = READ["MH"]
GET_HISTOGRAM = {"PH": "GetHistogram 0 0", "HH": "GetHistogram 0 0 0", "MH": "GetHistogram 0 0"}
GET_HISTOGRAM["PH330"] = GET_HISTOGRAM["MH"]
BASE_PS = {"PH": 4.0, "HH": 1.0, "MH": 5.0, "PH330": 1.0}

models = pytest.mark.parametrize("prefix", ["PH", "HH", "MH", "PH330"])


def channels(prefix: str, mode: str) -> list[str]:
    return [line.format(sync=int(mode != "t2")) for line in CHANNELS[prefix]]


@models
def test_connect_and_close(fake: Callable[..., Any], prefix: str) -> None:
    one = fake(prefix)
    identity = one.tagger.connect()
    assert (identity.maker, identity.serial) == ("PicoQuant", "1000001")
    assert one.calls() == CONNECT[prefix]
    one.tagger.close()
    one.tagger.close()
    assert one.calls() == ["StopMeas 0", "CloseDevice 0"]


@models
def test_t3(fake: Callable[..., Any], prefix: str) -> None:
    one = fake(prefix, **SET_UP[prefix]).connected()
    one.answer_resolution(8 * BASE_PS[prefix])
    one.tagger.configure(TaggerSettings("t3", 1.5, binning=3, sync_divider=4, offset_ps=3000.0))
    expected = [
        f"Initialize 0 3{REFERENCE[prefix]}",
        *START[prefix],
        "SetSyncDiv 0 4",
        *channels(prefix, "t3"),
        *HOLD[prefix],
        *MARKERS[prefix],
        "SetBinning 0 3",
        OFFSET[prefix],
        "GetResolution 0",
    ]
    assert one.calls() == expected
    assert one.tagger.delay_bin_ps() == 8 * BASE_PS[prefix]
    one.tagger.start()
    one.tagger.read_records()
    assert one.tagger.running()
    one.tagger.stop()
    stop = ["StartMeas 0 1500", "GetFlags 0", READ[prefix], "CTCStatus 0", "StopMeas 0"]
    assert one.calls() == stop
    # The mode stays, so that it is not initialised again; everything else is sent again.
    one.tagger.configure(TaggerSettings("t3", 1.0, binning=3, sync_divider=4, offset_ps=3000.0))
    assert one.calls() == expected[1 + len(START[prefix]) :]


@models
def test_t2(fake: Callable[..., Any], prefix: str) -> None:
    one = fake(prefix, **SET_UP[prefix]).connected()
    one.tagger.configure(TaggerSettings("t2", 360_000.0))
    assert one.calls() == [
        f"Initialize 0 2{REFERENCE[prefix]}",
        *START[prefix],
        "SetSyncDiv 0 1",
        *channels(prefix, "t2"),
        *HOLD[prefix],
        *MARKERS[prefix],
    ]
    assert one.tagger.delay_bin_ps() == BASE_PS[prefix]
    one.tagger.start()
    assert one.calls() == ["StartMeas 0 360000000"]


@models
def test_histogram(fake: Callable[..., Any], prefix: str) -> None:
    one = fake(prefix, **SET_UP[prefix]).connected()
    one.tagger.configure(TaggerSettings("histogram", 0.001, offset_ps=3000.0))
    assert one.calls() == [
        # It was opened in this mode.
        "SetSyncDiv 0 1",
        *channels(prefix, "histogram"),
        "SetBinning 0 0",
        OFFSET[prefix],
        *HISTOGRAM[prefix],
        "GetResolution 0",
    ]
    one.tagger.start()
    one.library.answers["CTCStatus"] = [1]
    assert not one.tagger.running()
    one.tagger.stop()
    one.library.answers["GetHistogram"] = [[1, 2, 3]]
    counts = one.tagger.read_histogram(1)
    assert (counts.shape, counts.dtype, counts[:4].tolist()) == ((65536,), "uint32", [1, 2, 3, 0])
    assert one.calls() == [
        CLEAR[prefix],
        "StartMeas 0 1",
        "CTCStatus 0",
        "StopMeas 0",
        GET_HISTOGRAM[prefix],
        "GetFlags 0",
    ]


@models
def test_rates(fake: Callable[..., Any], prefix: str) -> None:
    one = fake(prefix).connected()
    one.library.answers["GetWarnings"] = [0x101]
    one.library.answers["GetWarningsText"] = ["WARNING:\nNo pulses.\n"]
    one.library.answers["GetSyncRate"] = [5000]
    assert one.tagger.read("sync_rate") == 5000.0
    assert one.tagger.count_rate_hz(1) == 5000.0
    assert one.tagger.warnings() == ("WARNING: No pulses.",) * 2
    rates = ["GetCountRate 0 0", "GetCountRate 0 1"]
    assert one.calls() == [
        *(rates if prefix == "PH" else ["GetSyncRate 0", "GetCountRate 0 0"]),
        "GetWarnings 0",
        "GetWarningsText 0 1",
        "GetWarningsText 0 256",
    ]


RECORDS = {
    "PH": (RecordType.PICOHARP_T2, RecordType.PICOHARP_T3),
    "HH": (RecordType.HYDRAHARP2_T2, RecordType.HYDRAHARP2_T3),
    "MH": (RecordType.GENERIC_T2, RecordType.GENERIC_T3),
    "PH330": (RecordType.GENERIC_T2, RecordType.GENERIC_T3),
}


@models
def test_streams_and_channels(fake: Callable[..., Any], prefix: str) -> None:
    one = fake(prefix).connected()
    tagger = one.tagger
    assert tagger.delay_bins() == (4096 if prefix == "PH" else 32768)
    tagger.configure(TaggerSettings("t2", 1.0))
    stream = tagger.stream()
    assert (stream.record_type, stream.tick_s) == (RECORDS[prefix][0], BASE_PS[prefix] / 1e12)
    codes = [tagger.channel_of(number) for number in tagger.inputs()]
    assert (tagger.inputs(), codes) == (((0, 1), [0, 1]) if prefix == "PH" else ((1, 2), [0, 1]))
    one.library.answers["GetCountRate"] = one.library.answers["GetSyncRate"] = [76_000_000]
    one.answer_resolution(4 * BASE_PS[prefix])
    tagger.configure(TaggerSettings("t3", 1.0, binning=2))
    stream = tagger.stream()
    assert (stream.record_type, stream.tick_s) == (RECORDS[prefix][1], 1 / 76e6)
    assert stream.delay_bin_s == 4 * BASE_PS[prefix] / 1e12
    codes = [tagger.channel_of(number) for number in tagger.inputs()]
    assert (tagger.inputs(), codes) == (((1,), [1]) if prefix == "PH" else ((1, 2), [0, 1]))


def test_a_detector_on_the_sync_input(fake: Callable[..., Any]) -> None:
    one = fake("HH", sync={"detector": True}, inputs={1: {"enabled": False}}).connected()
    one.tagger.configure(TaggerSettings("t2", 1.0))
    assert one.tagger.inputs() == (0, 2)
    assert one.tagger.channel_of(0) == 64
    one.calls()
    assert one.tagger.count_rate_hz(0) == 10_000_000
    assert one.calls() == ["GetSyncRate 0"]
    one.tagger.configure(TaggerSettings("t3", 1.0))
    with pytest.raises(RefusedError, match="there is no input 0"):
        one.tagger.channel_of(0)
    one = fake("PH330", sync={"detector": True}).connected()
    one.tagger.configure(TaggerSettings("t2", 1.0))
    assert "SetSyncChannelEnable 0 1" in one.calls()


def test_a_library_without_the_newest_functions(fake: Callable[..., Any]) -> None:
    one = fake("MH").connected()
    one.library.missing = {"SetSyncChannelEnable", "SetOflCompression"}
    one.tagger.configure(TaggerSettings("t2", 1.0))
    assert not [call for call in one.calls() if call.split()[0] in one.library.missing]


def test_every_call_is_recorded_with_its_code(fake: Callable[..., Any]) -> None:
    one = fake("MH")
    one.library.codes["SetBinning"] = [-37]
    one.tagger.connect()
    one.tagger.configure(TaggerSettings("t3", 1.0))
    assert one.log[0] == ("MH_GetLibraryVersion", 0)
    assert [entry for entry in one.log if "Binning" in entry[0]] == [
        ("MH_SetBinning", -37),
        ("MH_SetBinning", 0),
    ]
    assert len(one.log) == len(one.calls())
