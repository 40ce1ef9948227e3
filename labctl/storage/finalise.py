"""``python -m labctl.storage.finalise JOURNAL``: writes the product of a run.

Prints a report as one line of JSON. Exit status 0 if the product is there, 1 if not, 2 for wrong
use; the reason stands in the last line of standard error.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from labctl.errors import StorageError
from labctl.storage._products import finalise, report_to_json


def main(arguments: Sequence[str]) -> int:
    """Do it; returns the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m labctl.storage.finalise JOURNAL\n")
        return 2
    try:
        report = finalise(Path(arguments[0]))
    except (StorageError, OSError) as error:
        sys.stderr.write(f"{error}\n".replace("\n", " ").rstrip() + "\n")
        return 1
    sys.stdout.write(report_to_json(report) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
