"""Prints what nexusformat (the library of NeXpy) would plot by default."""

import json
import sys
from importlib import import_module


def main(path: str) -> None:
    nexus = import_module("nexusformat.nexus")
    with nexus.nxload(path) as root:
        found = root.get_default()
        answer = {
            "group": found.nxpath,
            "signal": found.nxsignal.nxname,
            "shape": list(found.nxsignal.shape),
            "axes": [axis.nxname for axis in found.nxaxes],
        }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
