"""ptufile, tttrlib and phconvert. Arguments: which of them (or all), then PTU files.

Prints for each file what each of them reads: counts, sums of times and of delays by channel.
"""

import json
import sys
from importlib import import_module
from typing import Any

import numpy as np

_MARKERS = 15
"""phconvert gives markers and sync events a detector number from here on."""


def by_channel(channels: Any, times: Any, delays: Any) -> dict[str, Any]:
    """Counts, sums of times and of delays by channel; sums in Python's integers."""
    return {
        str(channel): [
            int((channels == channel).sum()),
            *(sum(map(int, values[channels == channel])) for values in (times, delays)),
        ]
        for channel in np.unique(channels)
    }


def by_ptufile(path: str) -> dict[str, Any]:
    """What ptufile reads."""
    ptufile: Any = import_module("ptufile")
    with ptufile.PtuFile(path) as file:
        records = file.decode_records()
    photons = records[records["channel"] >= 0]
    timed = "dtime" in photons.dtype.names
    times = photons["time"]
    delays = photons["dtime"] if timed else np.zeros(len(photons), np.int64)
    return by_channel(photons["channel"], times, delays)


def by_tttrlib(path: str) -> dict[str, Any]:
    """What tttrlib reads."""
    tttrlib: Any = import_module("tttrlib")
    data = tttrlib.TTTR(path, "PTU")
    photon = data.event_types == 0
    times = data.macro_times[photon].astype(np.int64)
    delays = data.micro_times[photon].astype(np.int64)
    return by_channel(data.routing_channels[photon], times, delays)


def by_phconvert(path: str) -> dict[str, Any]:
    """What phconvert reads."""
    phconvert: Any = import_module("phconvert.pqreader")
    times, channels, delays, *_ = phconvert.load_ptu(path)
    photon = channels < _MARKERS
    timed = delays if delays is not None else np.zeros(len(times), np.int64)
    return by_channel(channels[photon], times[photon], timed[photon])


READERS = {"ptufile": by_ptufile, "tttrlib": by_tttrlib, "phconvert": by_phconvert}

if __name__ == "__main__":
    which = list(READERS) if sys.argv[1] == "all" else sys.argv[1].split(",")
    print(json.dumps([{name: READERS[name](path) for name in which} for path in sys.argv[2:]]))
