"""pyLabLib's driver of NKT's Interbus. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from time import monotonic
from typing import Any

nkt: Any = import_module("pylablib.devices.NKT")
interbus: Any = import_module("pylablib.devices.NKT.interbus")
_ADDRESS = 15


def main(host: str, port: str) -> None:
    """Find the module, set its level, switch it on."""
    bus = nkt.GenericInterbusDevice(f"socket://{host}:{port}")
    found = bus.ib_scan_devices([14, _ADDRESS], timeout=0.2)
    laser = interbus.SuperKExtremeInterbusModule(bus, _ADDRESS)
    result: dict[str, Any] = {
        "modules": {str(address): kind for address, kind in found.items()},
        "type": laser.get_register("type"),
        "serial": laser.get_register("serial"),
        "temperature_c": laser.get_register("temperature_inlet"),
        "power": laser.set_register("power", 60.0),
        "before": laser.get_status(),
    }
    bus.ib_set_reg(_ADDRESS, 0x30, 3, "u8")
    give_up = monotonic() + 3.0
    while not laser.get_status() and monotonic() < give_up:
        pass
    result["after"] = laser.get_status()
    bus.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
