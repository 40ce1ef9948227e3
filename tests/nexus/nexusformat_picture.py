"""Draws what nexusformat plots of a file by itself. Arguments: file, picture."""

import json
import sys
from importlib import import_module


def main(path: str, picture: str) -> None:
    import_module("matplotlib").use("Agg")
    nexus = import_module("nexusformat.nexus")
    data = nexus.nxload(path).plottable_data
    data.plot(log=False)
    figure = import_module("matplotlib.pyplot").gcf()
    figure.set_size_inches(7, 4.5)
    figure.savefig(picture, dpi=100)
    sys.stdout.write(json.dumps({"group": data.nxpath, "signal": data.nxsignal.nxname}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
