"""Prints ``true`` or ``false``: whether pynxtools finds a file to be NXoptical_spectroscopy."""

import json
import logging
import sys
from importlib import import_module


def main(path: str) -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    h5py = import_module("h5py")
    validation = import_module("pynxtools.dataconverter.validation")
    with h5py.File(path, "r") as file:
        good = validation.validate_hdf_group_against(
            "NXoptical_spectroscopy", file["entry"], path, True
        )
    sys.stdout.write(json.dumps(bool(good)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
