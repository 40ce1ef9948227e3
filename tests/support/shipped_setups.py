"""The set-ups of ``configs/``, connected to their simulators in virtual time."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from labctl.host import Connection, SimulatedBy, connect_station
from labctl.setup import Setup, load_setup

FOLDER = Path(__file__).parents[2] / "configs" / "setups"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def shipped(name: str) -> Setup:
    """Return a shipped set-up; it cannot be changed, and is read once."""
    return load_setup(FOLDER / f"{name}.yaml")


@contextmanager
def connected(name: str) -> Generator[Connection]:
    """Connect a shipped set-up."""
    with connect_station(shipped(name), SimulatedBy()) as lab:
        yield lab
