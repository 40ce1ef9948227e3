"""phconvert's own validation and loading of Photon-HDF5. Arguments: a file, a copy. Prints JSON.

phconvert 0.10.2 calls a file invalid whose fields do not carry its own sentences as descriptions,
even if it is told not to look at them. So it is given a copy that does; all else is as it was.
"""

import json
import shutil
import sys
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any

hdf5: Any = import_module("phconvert.hdf5")
tables: Any = import_module("tables")


def describe(path: str) -> None:
    """Give every field the description that phconvert has for it."""
    with tables.open_file(path, "a") as file:
        for node in file.walk_nodes("/"):
            if "user" in node._v_pathname.split("/"):
                continue
            text, _, match, *_ = hdf5._spec_dict._get_subindex(node._v_pathname)
            if match is not None:
                node._f_setattr("TITLE", hdf5._format_descr(match, text))


def loaded(path: str) -> dict[str, Any]:
    """Return what it reads."""
    file: Any = hdf5.load_photon_hdf5(path)
    try:
        data, setup = file.root.photon_data, file.root.setup
        return {
            "photons": len(data.timestamps),
            "last": int(data.timestamps[-1]),
            "delays": int(data.nanotimes[:].astype("i8").sum()) if "nanotimes" in data else None,
            "labels": [label.decode() for label in setup.detectors.label.read()],
            "counts": setup.detectors.counts.read().tolist(),
            "rate_hz": setup.laser_repetition_rates.read().tolist(),
        }
    finally:
        file.close()


def main(path: str, copy: str) -> None:
    shutil.copyfile(path, copy)
    describe(copy)
    with redirect_stdout(sys.stderr):
        hdf5.assert_valid_photon_hdf5(copy, strict_description=True)
        found = loaded(copy)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
