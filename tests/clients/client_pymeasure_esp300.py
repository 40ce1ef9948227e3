"""PyMeasure's driver of the ESP300. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

newport: Any = import_module("pymeasure.instruments.newport")


def main(host: str, port: str) -> None:
    """Move, wait for the end, provoke an error."""
    controller = newport.ESP300(
        f"TCPIP::{host}::{port}::SOCKET",
        visa_library="@py",
        write_termination="\r",
        read_termination="\r\n",
        timeout=2000,
    )
    axis = controller.x
    axis.enable()
    result: dict[str, Any] = {
        "units": axis.units,
        "enabled": axis.enabled,
        "right": axis.right_limit,
    }
    axis.position = 12.5
    axis.wait_for_stop()
    result["position"] = axis.position
    axis.position = 900.0
    result["errors"] = [str(error) for error in controller.errors]
    controller.adapter.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
