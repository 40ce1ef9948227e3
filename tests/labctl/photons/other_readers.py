"""PTU files through ptufile, tttrlib and phconvert. Arguments: files. Prints JSON.

For each file and reader: photons as [time, channel, delay], markers as [time, bits].
"""

import json
import sys
from importlib import import_module
from typing import Any

Found = dict[str, list[list[int]]]


def through_ptufile(path: str) -> Found:
    with import_module("ptufile").PtuFile(path) as file:
        records = file.decode_records()
    photons, markers = records[records["channel"] >= 0], records[records["marker"] > 0]
    names = [name for name in ("time", "channel", "dtime") if name in records.dtype.names]
    rows = zip(*(photons[name].tolist() for name in names), strict=True)
    return {
        "photons": [[*row, 0][:3] for row in rows],
        "markers": [[int(row["time"]), int(row["marker"])] for row in markers],
    }


def through_tttrlib(path: str) -> Found:
    data = import_module("tttrlib").TTTR(path, "PTU")
    arrays = data.macro_times, data.routing_channels, data.micro_times, data.event_types
    rows = [list(row) for row in zip(*(array.tolist() for array in arrays), strict=True)]
    return {
        "photons": [row[:3] for row in rows if row[3] == 0],
        "markers": [row[:2] for row in rows if row[3] != 0],
    }


def through_phconvert(path: str) -> Found:
    reader = import_module("phconvert.pqreader")
    # Which of its ways is right depends on the type of records.
    picoharp_t2 = "PICOHARP_T2" in path
    found: Any = reader.load_ptu(path, ovcfunc="auto" if picoharp_t2 else "base")
    times, detectors, delays, _, marker_ids = found
    delays = [0] * len(times) if delays is None or len(delays) == 0 else delays
    rows = [[int(v) for v in row] for row in zip(times, detectors, delays, strict=True)]
    marked = {int(number) for number in marker_ids}
    return {
        "photons": [row for row in rows if row[1] not in marked],
        "markers": [row[:2] for row in rows if row[1] in marked],
    }


READERS = {
    "ptufile": through_ptufile,
    "tttrlib": through_tttrlib,
    "phconvert": through_phconvert,
}


def main(paths: list[str]) -> None:
    found = {path: {name: reader(path) for name, reader in READERS.items()} for path in paths}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
