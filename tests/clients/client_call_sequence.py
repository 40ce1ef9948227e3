"""The makers' documented order of calls, with ctypes arguments as their demos pass them.

Arguments: host, port, model, sim_devices folder. Plain ``c_int`` for what goes in, ``byref`` for
numbers and arrays that come out, buffers as they are, no prototypes. Prints a transcript and JSON.
"""

import ctypes as ct
import json
import sys
import zlib
from typing import Any

from remote_library import library

_DEVICES, _HISTOGRAM, _T2, _T3 = 8, 0, 2, 3
_TIME_MS = 300
_SIZED = {"PH": 131072, "HH": 131072}
_LARGEST = 1048576
_FULL = {"PH": 0x3, "HH": 0x2, "MH": 0x2, "PH330": 0x2}


class Session:
    """One module through its library."""

    def __init__(self, model: str, loaded: Any) -> None:
        self.model, self.loaded = model, loaded
        self.index: int = 0

    def raw(self, name: str, *arguments: Any) -> int:
        code: int = getattr(self.loaded, f"{self.model}_{name}")(*arguments)
        return code

    def do(self, name: str, *arguments: Any) -> None:
        """Call a function of the device; end like the demos when it fails."""
        code = self.raw(name, ct.c_int(self.index), *arguments)
        if code < 0:
            text = ct.create_string_buffer(b"", 40)
            self.raw("GetErrorString", text, ct.c_int(code))
            sys.exit(f"{self.model}_{name} error {code} ({text.value.decode()})")

    def number(self, name: str, *arguments: Any, kind: Any = ct.c_int) -> Any:
        out = kind()
        self.do(name, *arguments, ct.byref(out))
        return out.value

    def open(self) -> list[str]:
        """Ask for all eight devices; use the first that is there."""
        version = ct.create_string_buffer(b"", 8)
        self.raw("GetLibraryVersion", version)
        print(f"library {self.model} version {version.value.decode()}")
        serial = ct.create_string_buffer(b"", 8)
        found: list[tuple[int, str]] = []
        for index in range(_DEVICES):
            code = self.raw("OpenDevice", ct.c_int(index), serial)
            if code == 0:
                found.append((index, serial.value.decode()))
            elif code != -1:
                sys.exit(f"OpenDevice {index}: {code}")
        self.index = found[0][0]
        print(f"devices {found}")
        return [version.value.decode(), found[0][1]]

    def begin(self, mode: int) -> list[str]:
        """Initialise, set trigger levels and the rest, wait for the meters."""
        self.do("Initialize", ct.c_int(mode), *([] if self.model == "PH" else [ct.c_int(0)]))
        size = 16 if self.model == "PH" else 24
        texts = [ct.create_string_buffer(b"", n) for n in (size, 8, 8)]
        # The demos pass this index as a plain number.
        self.raw("GetHardwareInfo", self.index, *texts)
        if self.model in ("PH", "HH"):
            self.do("Calibrate")
        self.do("SetSyncDiv", ct.c_int(1))
        self.levels()
        if mode != _T2:
            self.do("SetBinning", ct.c_int(3))
            self.do("SetOffset", ct.c_int(0))
            if mode == _HISTOGRAM:
                # A signed number where the newer headers have an unsigned one.
                self.do("SetStopOverflow", ct.c_int(0), ct.c_int(10000))
            if self.model != "PH":
                self.number("SetHistoLen", ct.c_int(6))
        self.number("GetResolution", kind=ct.c_double)
        while mode == _T3 and self.sync_hz() == 0:
            pass
        return [text.value.decode() for text in texts]

    def inputs(self) -> int:
        return 1 if self.model == "PH" else int(self.number("GetNumOfInputChannels"))

    def levels(self) -> None:
        if self.model == "PH":
            for channel in (0, 1):
                self.do("SetInputCFD", ct.c_int(channel), ct.c_int(50), ct.c_int(10))
            self.do("SetSyncOffset", ct.c_int(0))
            return
        edge = self.model != "HH"
        name, values = ("EdgeTrg", (-50, 0)) if edge else ("CFD", (50, 10))
        if self.model == "PH330":
            self.do("SetSyncTrgMode", ct.c_int(0))
        self.do(f"SetSync{name}", *(ct.c_int(value) for value in values))
        self.do("SetSyncChannelOffset", ct.c_int(0))
        for channel in range(self.inputs()):
            if self.model == "PH330":
                self.do("SetInputTrgMode", ct.c_int(channel), ct.c_int(0))
            self.do(f"SetInput{name}", ct.c_int(channel), *(ct.c_int(value) for value in values))
            self.do("SetInputChannelOffset", ct.c_int(channel), ct.c_int(0))
            self.do("SetInputChannelEnable", ct.c_int(channel), ct.c_int(1))

    def sync_hz(self) -> int:
        if self.model == "PH":
            return int(self.number("GetCountRate", ct.c_int(0)))
        return int(self.number("GetSyncRate"))

    def tagged(self, mode: int) -> dict[str, int]:
        """Read the buffer until the time is over and nothing more comes."""
        self.begin(mode)
        most = _SIZED.get(self.model, _LARGEST)
        buffer, count = (ct.c_uint * most)(), ct.c_int()
        sized = [most] if self.model in _SIZED else []
        words = check = reads = 0
        self.do("StartMeas", ct.c_int(_TIME_MS))
        while True:
            if self.number("GetFlags") & _FULL[self.model]:
                sys.exit("the buffer ran over")
            self.do("ReadFiFo", ct.byref(buffer), *sized, ct.byref(count))
            reads += 1
            if count.value > 0:
                words += count.value
                check = zlib.crc32(bytes(buffer)[: 4 * count.value], check)
            elif self.number("CTCStatus") > 0:
                break
        self.do("StopMeas")
        print(f"T{mode}: sync {self.sync_hz()} /s, {words} records in {reads} reads")
        return {"words": words, "crc": check}

    def histogram(self) -> list[int]:
        """Fill histograms for the time, then read one of each input."""
        self.begin(_HISTOGRAM)
        inputs = self.inputs()
        self.do("ClearHistMem", *([ct.c_int(0)] if self.model == "PH" else []))
        self.do("StartMeas", ct.c_int(_TIME_MS))
        while self.number("CTCStatus") == 0:
            pass
        self.do("StopMeas")
        # All rows lie in one array, and one row of it is handed over.
        counts = ((ct.c_uint * 65536) * inputs)()
        for channel in range(inputs):
            last = [ct.c_int(0)] if self.model == "HH" else []
            self.do("GetHistogram", ct.byref(counts[channel]), ct.c_int(channel), *last)
        totals = [sum(row) for row in counts]
        print(f"histograms: {totals} counts, flags {self.number('GetFlags'):#x}")
        return totals

    def warnings(self) -> list[str]:
        found = self.number("GetWarnings")
        text = ct.create_string_buffer(b"", 16384)
        self.do("GetWarningsText", text, ct.c_int(found))
        return text.value.decode().splitlines()


def main(host: str, port: str, model: str, folder: str) -> None:
    """Open, T2, T3, histogram, close all."""
    session = Session(model, library(model, host, port, folder))
    result: dict[str, Any] = {"identity": session.open(), "info": session.begin(_T3)}
    result["warnings"] = session.warnings()
    print(f"found {result['info']}, warnings {result['warnings']}")
    result["T2"], result["T3"] = session.tagged(_T2), session.tagged(_T3)
    result["histogram"] = session.histogram()
    result["closed"] = [session.raw("CloseDevice", ct.c_int(i)) for i in range(_DEVICES)]
    print(f"closed {result['closed']}")
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
