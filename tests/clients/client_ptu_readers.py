"""ptufile and tttrlib. Arguments: PTU files. Prints for each file what both of them read."""

import json
import sys
from importlib import import_module
from typing import Any

import numpy as np

ptufile: Any = import_module("ptufile")
tttrlib: Any = import_module("tttrlib")


def by_ptufile(path: str) -> dict[str, Any]:
    """Counts, sums of times and of delays by channel."""
    with ptufile.PtuFile(path) as file:
        records = file.decode_records()
    photons = records[records["channel"] >= 0]
    timed = "dtime" in photons.dtype.names
    return {
        str(channel): [
            int((photons["channel"] == channel).sum()),
            int(photons["time"][photons["channel"] == channel].astype(object).sum()),
            int(photons["dtime"][photons["channel"] == channel].astype(object).sum())
            if timed
            else 0,
        ]
        for channel in np.unique(photons["channel"])
    }


def by_tttrlib(path: str) -> dict[str, Any]:
    """Counts, sums of times and of delays by channel."""
    data = tttrlib.TTTR(path, "PTU")
    photon = data.event_types == 0
    channels = data.routing_channels[photon]
    times = data.macro_times[photon].astype(np.int64)
    delays = data.micro_times[photon].astype(np.int64)
    return {
        str(channel): [
            int((channels == channel).sum()),
            int(times[channels == channel].astype(object).sum()),
            int(delays[channels == channel].astype(object).sum()),
        ]
        for channel in np.unique(channels)
    }


if __name__ == "__main__":
    print(json.dumps([{"ptufile": by_ptufile(p), "tttrlib": by_tttrlib(p)} for p in sys.argv[1:]]))
