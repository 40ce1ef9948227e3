"""``labctl devices``: which instruments of a set-up answer, and who they are."""

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from labctl.cli._options import Sample, SetupFile, Simulate
from labctl.cli._say import FAILED, say_data, say_error, screen
from labctl.errors import NotConnectedError, said_by
from labctl.host import SimulatedBy, connect_station
from labctl.setup import Setup, load_setup

__all__ = ["devices"]


def devices(
    setup: SetupFile,
    simulate: Simulate = False,
    sample: Sample = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write it as JSON.")] = False,
) -> None:
    """Connect every instrument, ask who it is and how it stands, and let it go again."""
    loaded = load_setup(setup, sample=sample)
    found = _ask(loaded, SimulatedBy() if simulate else None)
    if as_json:
        say_data(found)
    else:
        _show(found)
    failures = [entry["error"] for entry in found.values() if entry["error"]]
    if not as_json:
        for error in failures:
            say_error(error)
    if failures:
        raise typer.Exit(FAILED)


def _ask(setup: Setup, by: SimulatedBy | None) -> dict[str, dict[str, Any]]:
    connection = connect_station(setup, by)
    failures: dict[str, BaseException] = {}
    snapshots: dict[str, dict[str, Any]] = {}
    try:
        with connection:
            snapshots = connection.station.snapshot()
    except NotConnectedError as error:
        failures = error.failures
    identities = connection.station.identities
    return {
        name: {
            "role": entry.role,
            "driver": entry.driver,
            "address": "simulated" if by else entry.address,
            "identity": asdict(identities[name]) if name in identities else None,
            "snapshot": snapshots.get(name, {}),
            "error": said_by(name, failures[name]) if name in failures else "",
        }
        for name, entry in setup.instruments.items()
    }


def _show(found: dict[str, dict[str, Any]]) -> None:
    wide = [Column(name, overflow="fold") for name in ("driver", "address", "identity")]
    table = Table("instrument", "role", *wide)
    for name, entry in found.items():
        identity = entry["identity"]
        words = " ".join(filter(None, identity.values())) if identity else "does not answer"
        table.add_row(name, entry["role"], entry["driver"], entry["address"], words)
    screen().print(table)
