"""yaq's daemon for Acton monochromators. Arguments: host, port. Prints JSON."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from serial_bridge import SerialBridge

# The daemon keeps its state in the user's folder and would start from there the next time.
os.environ["XDG_DATA_HOME"] = os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp()

driver: Any = import_module("yaqd_acton._acton_sp2300i")


async def work(port: str) -> dict[str, Any]:
    """Read what it found when it started, move, change the grating, turn the mirror."""
    config = Path(tempfile.mkdtemp()) / "config.toml"
    known = driver.ActonSP2300i._avro_protocol["config"].items()
    defaults = {key: entry["default"] for key, entry in known if "default" in entry}
    mono: Any = driver.ActonSP2300i(
        "mono", {**defaults, "serial_port": port, "port": 39999}, config
    )
    result: dict[str, Any] = {
        "gratings": mono.get_turret_options(),
        "grating": mono.get_turret(),
        "slits": list(mono._state["slits"]),
        "mirrors": list(mono._state["mirrors"]),
        "start_nm": mono.get_position(),
    }
    mono._set_position(531.0)
    await until(mono, lambda: abs(mono.get_position() - 531.0) < 0.01)
    result["position_nm"] = mono.get_position()
    mono.set_turret(mono.get_turret_options()[1])
    await until(mono, lambda: mono.get_turret() == mono.get_turret_options()[1])
    result["grating_after"] = mono.get_turret()
    mono.set_exit_mirror("SIDE")
    await until(mono, lambda: not mono._queue)
    for word in ("EXIT-MIRROR\r", "?MIRROR\r"):
        mono._queue.append(word.encode())
    await until(mono, lambda: mono.get_exit_mirror() == "SIDE")
    result["mirror_after"] = mono.get_exit_mirror()
    if result["slits"][0] != "None":
        # Facing front, at the entrance; the daemon rounds to the motor's steps of 5 um.
        mono.set_front_entrance_slit(103)
        await until(mono, lambda: mono.get_front_entrance_slit() == 105)
        result["slit_after"] = mono.get_front_entrance_slit()
    mono.close()
    return result


async def until(mono: Any, ready: Callable[[], bool]) -> None:
    """Let the daemon's tasks run until something is so; at most 20 s."""
    update = asyncio.get_running_loop().create_task(mono.update_state())
    async with asyncio.timeout(20.0):
        while not ready():
            await asyncio.sleep(0.05)
    update.cancel()


def main(host: str, port: str) -> None:
    """Run on a pseudo-terminal."""
    bridge = SerialBridge(host, port)
    result = asyncio.run(work(bridge.port))
    bridge.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
