"""Montana's own library for the s-series. Arguments: host, port. Prints JSON."""

import json
import sys
import types
from importlib import import_module
from typing import Any

# The package's top level imports a whole user interface; the hardware modules need none of it.
package = types.ModuleType("pymodaq_plugins_montana")
package.__path__ = [f"{path}/pymodaq_plugins_montana" for path in sys.path]
sys.modules["pymodaq_plugins_montana"] = package

instrument: Any = import_module("pymodaq_plugins_montana.hardware.instrument")
scryostation: Any = import_module("pymodaq_plugins_montana.hardware.scryostation")


def main(host: str, port: str) -> None:
    """Read, set, refuse, list."""
    cryostat = scryostation.SCryostation(host, port=int(port))
    result: dict[str, Any] = {
        "up": cryostat.is_up(),
        "goal": cryostat.get_system_goal(),
        "state": cryostat.get_system_state(),
        "platform": cryostat.get_platform_temperature(),
        "stability": cryostat.get_platform_temperature_stability(),
        "stable": cryostat.get_platform_temperature_stable(),
        "user1": cryostat.get_user1_temperature(),
        "user2": cryostat.get_user2_temperature(),
        "stage1": cryostat.get_stage1_temperature(),
        "pressure_pa": cryostat.get_sample_chamber_pressure(),
        "channels": sorted(channel for _, channel in cryostat.cryo_thermometer_channels()),
    }
    cryostat.set_platform_target_temperature(14.0)
    result["target_k"] = cryostat.get_platform_target_temperature()
    cryostat.set_platform_bakeout_enabled(False)
    try:
        cryostat.vent()
    except instrument.ApiError as error:
        result["refusal"] = str(error)
    cryostat.warmup()
    result["goal_after"] = cryostat.get_system_goal()
    cryostat.abort_goal()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
