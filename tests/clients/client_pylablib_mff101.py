"""pyLabLib's driver of the MFF101. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from time import monotonic
from typing import Any

thorlabs: Any = import_module("pylablib.devices.Thorlabs")


def main(host: str, port: str) -> None:
    """Read, move to the other side and read again."""
    mount = thorlabs.MFF(("serial", f"socket://{host}:{port}"))
    info = mount.get_device_info()
    result: dict[str, Any] = {
        "serial": info.serial_no,
        "model": info.model_no,
        "start": mount.get_state(),
        "transit_s": mount.get_flipper_parameters().transit_time,
    }
    mount.move_to_state(1)
    result["moving"] = mount.get_state()
    give_up = monotonic() + 5.0
    while mount.get_state() is None and monotonic() < give_up:
        pass
    result["end"] = mount.get_state()
    mount.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
