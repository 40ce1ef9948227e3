"""Prints how xarray alone sees the default group: dimensions, coordinates, units."""

import json
import sys
from importlib import import_module


def main(path: str) -> None:
    xarray = import_module("xarray")
    h5py = import_module("h5py")
    with h5py.File(path, "r") as file:
        group = "entry/" + file["entry"].attrs["default"]
        signal = file[group].attrs["signal"]
    with xarray.open_dataset(path, group=group, engine="h5netcdf") as found:
        answer = {
            "dims": list(found[signal].dims),
            "coords": sorted(str(name) for name in found[signal].coords),
            "units": {str(name): found[name].attrs.get("units") for name in found.variables},
        }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
