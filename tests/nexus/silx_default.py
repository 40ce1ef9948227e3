"""Prints what silx would plot by default: group, signal, its shape, axes and their units."""

import json
import sys
from importlib import import_module


def main(path: str) -> None:
    nxdata = import_module("silx.io.nxdata")
    silx_io = import_module("silx.io")
    with silx_io.open(path) as file:
        found = nxdata.get_default(file)
        answer = {
            "group": found.group.name,
            "valid": bool(found.is_valid),
            "signal": found.signal_dataset_name,
            "shape": list(found.signal.shape),
            "axes": list(found.axes_dataset_names),
            "units": [None if axis is None else axis.attrs.get("units") for axis in found.axes],
        }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
