"""Runs an IRF and a decay in a process of its own; prints what numba was asked for, and when."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from labctl.roles import Shutter
from live_bench import run_live
from photon_setup import PhotonBench

STEPS = """
    irf: {grating: 300/mm, stop: {counts: 20000, at_most: 20 s}}
    trpl: {grating: 300/mm, center: 531 nm, stop: {time: 2 s}}
    g2: {grating: 300/mm, center: 531 nm, stop: {time: 2 s}}
"""

built: dict[str, bool] = {}
lit = False
real_njit: Callable[..., Any] = numba.njit
real_set_open = Shutter.set_open


def njit(*arguments: Any, **options: Any) -> Any:
    make = real_njit(*arguments, **options)

    def build(function: Callable[..., Any]) -> Any:
        built[f"{function.__module__}.{function.__name__}"] = lit
        return make(function)

    return build


def set_open(self: Shutter, wanted: bool) -> None:
    global lit
    lit |= self.name == "shutter" and wanted
    real_set_open(self, wanted)
    lit &= self.name != "shutter" or wanted


numba.njit = njit
Shutter.set_open = set_open
live = run_live(PhotonBench(Path(sys.argv[1])).ask(STEPS), lambda _event, _live: None)
fitted = sum("lifetime_ps" in event.values for event in live.of("live_result"))
reason = live.ended.outcome.reason
print(json.dumps({"built": built, "fitted": fitted, "reason": reason}))
