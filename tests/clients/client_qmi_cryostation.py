"""QMI's driver of the legacy Cryostation. Arguments: host, port. Prints JSON."""

import json
import sys
from importlib import import_module
from typing import Any

qmi: Any = import_module("qmi")
montana: Any = import_module("qmi.instruments.montana")


def main(host: str, port: str) -> None:
    """Read, set and read again."""
    qmi.start("labctl_client", init_logging=False)
    cryostation = qmi.make_instrument(
        "cryostation", montana.Montana_Cryostation, f"tcp:{host}:{port}"
    )
    cryostation.open()
    result: dict[str, Any] = {
        "platform_k": cryostation.get_platform_temperature(),
        "sample_k": cryostation.get_sample_temperature(),
        "stability_k": cryostation.get_platform_stability(),
        "stage_1_k": cryostation.get_stage_1_temperature(),
        "alarm": cryostation.get_alarm_state(),
        "pressure_pa": cryostation.get_chamber_pressure("Pa"),
        "gain": cryostation.get_pid_proportional_gain(),
        "magnet": cryostation.get_magnet_state(),
    }
    cryostation.set_temperature_setpoint(12.5)
    result["set_point_k"] = cryostation.get_temperature_setpoint()
    cryostation.start_cooldown()
    cryostation.close()
    qmi.stop()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
