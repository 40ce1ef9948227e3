"""Drivers upon a library that records its calls, and upon the simulated modules."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.roles import TimeTagger
from labctl.transport import LibraryLink, pointed_to
from labctl_drivers.picoquant.hydraharp400 import HydraHarp400
from labctl_drivers.picoquant.multiharp150 import MultiHarp150
from labctl_drivers.picoquant.picoharp300 import PicoHarp300
from labctl_drivers.picoquant.picoharp330 import PicoHarp330
from tcspc_bench import TcspcBench

DRIVERS: dict[str, Any] = {
    "PH": PicoHarp300,
    "HH": HydraHarp400,
    "MH": MultiHarp150,
    "PH330": PicoHarp330,
}

# Arguments in the vendor's headers (phlib.h 3.0.0.3, hhlib.h 3.0.0.3, mhlib.h 4.0, PH330Lib 2.0):
# i and u go in as int and unsigned; I int*, D double*, S char*, U unsigned* come out.
_COMMON = {
    "GetLibraryVersion": "S",
    "GetErrorString": "Si",
    "OpenDevice": "iS",
    "CloseDevice": "i",
    "Initialize": "iii",
    "GetHardwareInfo": "iSSS",
    "GetSerialNumber": "iS",
    "GetBaseResolution": "iDI",
    "SetSyncDiv": "ii",
    "SetStopOverflow": "iiu",
    "SetBinning": "ii",
    "SetOffset": "ii",
    "ClearHistMem": "i",
    "StartMeas": "ii",
    "StopMeas": "i",
    "CTCStatus": "iI",
    "GetResolution": "iD",
    "GetCountRate": "iiI",
    "GetFlags": "iI",
    "GetWarnings": "iI",
    "GetWarningsText": "iSi",
    "SetMarkerEdges": "iiiii",
    "SetMarkerEnable": "iiiii",
}
_HYDRA = _COMMON | {
    "GetNumOfInputChannels": "iI",
    "SetSyncChannelOffset": "ii",
    "SetInputChannelOffset": "iii",
    "SetInputChannelEnable": "iii",
    "SetHistoLen": "iiI",
    "GetSyncRate": "iI",
}
_MULTI = _HYDRA | {
    "SetSyncEdgeTrg": "iii",
    "SetSyncChannelEnable": "ii",
    "SetSyncDeadTime": "iii",
    "SetInputEdgeTrg": "iiii",
    "SetInputDeadTime": "iiii",
    "SetOflCompression": "ii",
    "GetHistogram": "iUi",
    "ReadFiFo": "iUI",
}
PROTOTYPES = {
    "PH": _COMMON
    | {
        "Initialize": "ii",
        "Calibrate": "i",
        "SetInputCFD": "iiii",
        "SetSyncOffset": "ii",
        "SetStopOverflow": "iii",
        "SetMultistopEnable": "ii",
        "ClearHistMem": "ii",
        "GetHistogram": "iUi",
        "ReadFiFo": "iUiI",
    },
    "HH": _HYDRA
    | {
        "Calibrate": "i",
        "SetSyncCFD": "iii",
        "SetInputCFD": "iiii",
        "GetHistogram": "iUii",
        "ReadFiFo": "iUiI",
    },
    "MH": _MULTI,
    "PH330": _MULTI
    | {
        "SetSyncTrgMode": "ii",
        "SetInputTrgMode": "iii",
        "SetSyncCFD": "iii",
        "SetInputCFD": "iiii",
    },
}
_ANSWERS: dict[str, dict[str, Sequence[Any]]] = {
    "PH": {
        "GetLibraryVersion": ["3.0"],
        "GetHardwareInfo": ["PicoHarp 300", "930004", "2.0"],
        "GetBaseResolution": [4.0, 8],
    },
    "HH": {
        "GetLibraryVersion": ["3.0"],
        "GetHardwareInfo": ["HydraHarp 400", "930010", "2.0"],
        "GetBaseResolution": [1.0, 26],
    },
    "MH": {
        "GetLibraryVersion": ["3.1"],
        "GetHardwareInfo": ["MultiHarp 150 4N", "930041", "1.0"],
        "GetBaseResolution": [5.0, 24],
    },
    "PH330": {
        "GetLibraryVersion": ["2.0"],
        "GetHardwareInfo": ["PicoHarp 330", "930051", "1.0"],
        "GetBaseResolution": [1.0, 24],
    },
}


class FakeLibrary:
    """Records calls; answers what it is told, and the codes it is told, first come first served.

    Attributes:
        calls: Texts such as ``SetBinning 0 3``; outputs are not shown.
        answers: What each function gives.
        codes: What each function returns in its next calls, then 0.
        serials: Serial number, or code, of each device.
        missing: Functions that it does not have.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.calls: list[str] = []
        self.codes: dict[str, list[int]] = {}
        self.serials: list[str | int] = ["1000001"]
        self.missing: set[str] = set()
        self.answers: dict[str, Sequence[Any]] = {
            "GetNumOfInputChannels": [2],
            "GetSerialNumber": ["1000001"],
            "GetErrorString": ["Something unheard of"],
            "SetHistoLen": [65536],
            "GetResolution": _ANSWERS[prefix]["GetBaseResolution"][:1],
            "CTCStatus": [0],
            "GetFlags": [0],
            "GetSyncRate": [10_000_000],
            "GetCountRate": [5000],
            "GetWarnings": [0],
            "GetWarningsText": [""],
            "ReadFiFo": [[]],
            "GetHistogram": [[]],
            **_ANSWERS[prefix],
        }

    def __getattr__(self, name: str) -> Any:
        prefix, _, function = name.partition("_")
        if prefix != self.prefix or function in self.missing | {""}:
            raise AttributeError(name)
        kinds = PROTOTYPES[prefix].get(function)
        if kinds is None:
            raise AttributeError(name)
        return partial(self._call, function, kinds)

    def _call(self, name: str, kinds: str, *arguments: Any) -> int:
        assert len(arguments) == len(kinds), (name, arguments)
        pairs = list(zip(kinds, arguments, strict=True))
        plain = [getattr(value, "value", value) for kind, value in pairs if kind in "iu"]
        assert all(type(value) is int for value in plain), (name, plain)
        self.calls.append(" ".join(map(str, [name, *plain])))
        if name == "OpenDevice":
            return self._open(plain[0], arguments[1])
        code = self.codes[name].pop(0) if self.codes.get(name) else 0
        if code >= 0:
            self._answer(name, [pair for pair in pairs if pair[0] not in "iu"])
        return code

    def _open(self, index: int, buffer: Any) -> int:
        found = self.serials[index] if index < len(self.serials) else -1
        if isinstance(found, int):
            return found
        buffer.value = found.encode()
        return 0

    def _answer(self, name: str, outputs: list[tuple[str, Any]]) -> None:
        given = list(self.answers.get(name, []))
        assert len(given) >= len(outputs) - (name == "ReadFiFo"), name
        if name == "ReadFiFo":
            given.append(len(given[0]))
        for (kind, argument), value in zip(outputs, given, strict=True):
            target = pointed_to(argument)
            if kind == "U":
                for place, one in enumerate(value):
                    target[place] = one
            else:
                target.value = value.encode() if kind == "S" else value


class Fake:
    """A driver upon a ``FakeLibrary``."""

    def __init__(self, prefix: str, **settings: Any) -> None:
        kind = DRIVERS[prefix]
        self.library = FakeLibrary(prefix)
        self.log: list[tuple[str, Any]] = []
        config = kind.settings_type.model_validate(settings)
        link = LibraryLink(self.library, self._record)
        self.tagger: TimeTagger = kind("tagger", link, config, {})

    def _record(self, name: str, _arguments: tuple[Any, ...], result: Any) -> None:
        self.log.append((name, result))

    def connected(self) -> "Fake":
        self.tagger.connect()
        self.library.calls.clear()
        return self

    def calls(self) -> list[str]:
        """Return the calls since the last time."""
        calls = self.library.calls.copy()
        self.library.calls.clear()
        return calls

    def answer_resolution(self, resolution_ps: float) -> None:
        self.library.answers["GetResolution"] = [resolution_ps]


@pytest.fixture
def fake() -> Callable[..., Fake]:
    return Fake


class Simulated:
    """A driver upon a simulated module."""

    def __init__(
        self,
        prefix: str,
        settings: dict[str, Any] | None = None,
        dot: dict[str, Any] | None = None,
        **truth: Any,
    ) -> None:
        self.bench = TcspcBench(prefix, dot, **truth)
        kind = DRIVERS[prefix]
        config = kind.settings_type.model_validate(settings or {})
        self.tagger: TimeTagger = kind("tcspc", LibraryLink(self.bench.library), config, {})

    def wait(self, seconds: float) -> None:
        self.bench.clock.advance(seconds)

    def run(self, *, settled: bool = False) -> NDArray[np.uint32]:
        """Take all records of a run."""
        self.wait(0.0 if settled else self.tagger.settle_s)
        self.tagger.start()
        parts: list[Any] = []
        while True:
            self.wait(0.02)
            parts.append(self.tagger.read_records())
            if not len(parts[-1]) and not self.tagger.running():
                break
        self.tagger.stop()
        return np.concatenate(parts)


@pytest.fixture
def simulated() -> Iterator[Callable[..., Simulated]]:
    made: list[Simulated] = []

    def build(prefix: str, settings: dict[str, Any] | None = None, **options: Any) -> Simulated:
        made.append(Simulated(prefix, settings, **options))
        made[-1].tagger.connect()
        return made[-1]

    yield build
    for one in made:
        one.tagger.close()
        assert one.bench.library.errors == []
