"""pylablib's ANC300 over the network. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

attocube: Any = import_module("pylablib.devices.Attocube")


def main(connection: Any) -> None:
    """Read, set, step, wait, measure a capacitance, be refused."""
    stage: Any = attocube.ANC300(connection)
    stage.instr.set_timeout(5.0)
    result: dict[str, Any] = {
        "info": list(stage.get_device_info()),
        "axes": stage.get_all_axes(),
        "serial": stage.get_axis_serial(1),
        "modes": [stage.set_mode(1, "stp")],
        "voltage_v": stage.set_voltage(1, 25.5),
        "frequency_hz": stage.set_frequency(1, 200),
    }
    stage.move_by(1, 400)
    result["moving"] = stage.is_moving(1)
    stage.wait_move(1, timeout=5.0)
    result["moving_after"] = stage.is_moving(1)
    stage.jog(1, "+")
    stage.stop(1)
    result["capacitance_nf"] = stage.get_capacitance(1, measure=True) * 1e9
    result["offset_v"] = stage.set_offset(2, 12.0)
    result["modes"] += [stage.set_mode(2, "off"), stage.get_mode(1)]
    result["output_v"] = stage.get_output(2)
    result["pattern"] = len(stage.get_voltage_pattern(1, "up"))
    result["trigger"] = list(stage.set_trigger_input(1, up=3))
    try:
        stage.set_voltage(1, 200.0)
    except attocube.AttocubeError as error:
        result["refusal"] = str(error)
    stage.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main((sys.argv[1], int(sys.argv[2])))
