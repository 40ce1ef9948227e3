"""pyLabLib's base class of Thorlabs' serial instruments, at the SC10. Prints JSON.

It has no class for the SC10, but this base for the family: carriage return, echo, ``>``.
Arguments: host, port.
"""

import json
import sys
from importlib import import_module
from typing import Any

serial: Any = import_module("pylablib.devices.Thorlabs.serial")


def main(host: str, port: str) -> None:
    """Ask, open, ask, close."""
    shutter = serial.ThorlabsSerialInterface(f"socket://{host}:{port}")
    result: dict[str, Any] = {"id": shutter.ask("id?"), "mode": shutter.ask("mode?", "int")}
    result["before"] = shutter.ask("ens?", "int")
    shutter.write("ens")
    result["enabled"] = shutter.ask("ens?", "int")
    shutter.write("ens")
    result["after"] = shutter.ask("ens?", "int")
    shutter.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
