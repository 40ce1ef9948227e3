"""pyLabLib's driver of the FW102C. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

thorlabs: Any = import_module("pylablib.devices.Thorlabs")


def main(host: str, port: str) -> None:
    """Read, move to the other side and read again."""
    wheel = thorlabs.FW(f"socket://{host}:{port}")
    result: dict[str, Any] = {"count": wheel.get_pcount(), "start": wheel.get_position()}
    result["sensors"] = wheel.set_sensor_mode("off")
    result["end"] = wheel.set_position(5)
    wheel.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
