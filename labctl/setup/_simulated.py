"""One instrument as the simulated set-up takes it."""

from typing import Any

from labctl.setup._instrument import InstrumentSetup
from labctl.setup._plain import plain

__all__ = ["simulated"]


def simulated(entry: InstrumentSetup) -> dict[str, Any]:
    """Return what an instrument is simulated from: plain numbers whose keys carry the unit."""
    # Units on one serial line hear each other's commands, in a simulation too.
    shared = {"line": entry.address} if entry.driver_type.bus_key else {}
    return {
        **shared,
        "simulator": entry.simulator,
        "settings": plain(entry.settings),
        "truth": dict(entry.truth),
        "faults": [
            {"kind": fault.kind, "after_s": fault.after_s, "parameters": dict(fault.parameters)}
            for fault in entry.faults
        ],
    }
