"""miniquant's HydraHarp 400 with another library. Arguments: host, port, sim_devices folder.

Prints what it does and finds, and JSON at the end. Its ``fifo`` cannot run with any library (it
multiplies an array type by a ctypes integer) and its ``syncPeriod`` has a float where the library
writes a double: both are left alone.
"""

import ctypes
import json
import sys
from importlib import import_module
from typing import Any

from remote_library import library

_ACQUIRE_S = 0.5


def main(host: str, port: str, folder: str) -> None:
    """Find, initialise, set, histogram, ask everything."""
    found = library("HH", host, port, folder)

    def load(_name: str, **_options: Any) -> Any:
        return found

    ctypes.__dict__["CDLL"] = load
    harp: Any = import_module("miniquant.harp")
    monster = harp.Monster()
    print("library", monster.libraryVersion, "error -36 is", monster.errorString[-36])
    device = monster.find("first")
    device.initialize(harp.MeasurementMode.Histogramming, harp.ReferenceClock.Internal)
    device.calibrate()
    print("found", device.hardwareInfo, "serial", device.serialNumber)
    device.syncDiv = 1
    device.syncCfd = {"level": 0.05, "zerox": 0.01}
    device.syncChannelOffset = 0.0
    device.measurementControl = {"control": "SingleShotCtc", "startEdge": 0, "stopEdge": 1}
    device.stopOverflow = 4000000000
    for channel in device.channels:
        channel.enabled = True
        channel.cfd = {"level": 0.05, "zerox": 0.01}
        channel.offset = 0.0
    device.histogramLength = 3
    device.binning = 4
    device.offset = 0.0
    device.markers = [harp.EdgeSelection.Rising, None, harp.EdgeSelection.Falling, None]
    device.markerHoldoffTime = 100
    while device.syncRate == 0:
        pass
    result: dict[str, Any] = {
        "features": list(device.features),
        "base": list(device.baseResolution),
        "resolution_s": device.resolution,
        "sync_hz": device.syncRate,
        "rates_hz": [channel.countRate for channel in device.channels],
        "warnings": list(device.warnings),
        "modules": [module.info for module in device.modules],
        "module_of": [channel.moduleIndex for channel in device.channels],
    }
    print(result)
    device.acquire(_ACQUIRE_S)
    result["flags_running"] = list(device.flags)
    while device.acquiring:
        pass
    device.acqstop()
    result["flags_after"] = list(device.flags)
    result["histograms"] = [channel.histogram.astype(int).tolist() for channel in device.channels]
    print("counts in", device.histogramLength, "bins:", [sum(h) for h in result["histograms"]])
    try:
        device.binning = 26
    except harp.HarpError as error:
        result["refused"] = str(error)
        print("binning 26:", error)
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
