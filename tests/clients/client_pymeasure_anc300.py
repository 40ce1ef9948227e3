"""PyMeasure's ANC300Controller. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

attocube: Any = import_module("pymeasure.instruments.attocube")


def main(host: str, port: str) -> None:
    """Read, set, step, wait, measure a capacitance, be refused."""
    stage: Any = attocube.ANC300Controller(
        f"TCPIP::{host}::{port}::SOCKET",
        axisnames=["x", "y", "z"],
        passwd="123456",
        visa_library="@py",
        timeout=5000,
    )
    result: dict[str, Any] = {
        "serial": stage.controllerBoardVersion,
        "module": stage.x.serial_nr,
        "mode": stage.x.mode,
    }
    stage.x.voltage, stage.x.frequency = 25.0, 200
    result |= {"voltage_v": stage.x.voltage, "frequency_hz": stage.x.frequency}
    stage.x.move(40)
    result["mode_after"] = stage.x.mode
    result["capacitance_nf"] = stage.y.measure_capacity()
    stage.z.offset_voltage, stage.z.mode = 12.0, "off"
    result["output_v"] = stage.z.output_voltage
    stage.stop_all()
    stage.ground_all()
    result["grounded"] = [axis.mode for axis in (stage.x, stage.y, stage.z)]
    try:
        stage.x.move_raw(5)
    except ValueError as error:
        result["refusal"] = str(error)
    print(json.dumps(result, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
