"""Run in a process of its own: is anything compiled, or loaded as machine code, while a run goes?

Prints the functions that got machine code after the module was built.
"""

import sys
from collections.abc import Iterator
from typing import Any

from tcspc_bench import HIST, MODULES, T2, T3, TcspcBench


def kernels() -> Iterator[tuple[str, Any]]:
    """All compiled functions of the simulated side."""
    for name, module in list(sys.modules.items()):
        if name.startswith("labctl_sim."):
            for label, value in vars(module).items():
                if hasattr(value, "signatures") and hasattr(value, "py_func"):
                    yield f"{name}.{label}", value


def compiled() -> dict[str, int]:
    return {name: len(kernel.signatures) for name, kernel in kernels()}


def everything(bench: TcspcBench) -> None:
    """Every mode with stray light, markers, a stop count and a change of the path."""
    for mode in (T2, T3, HIST):
        bench.open(mode)
        if mode == HIST:
            bench.run("SetStopOverflow", 1, 50)
        bench.run("StartMeas", 50)
        bench.clock.advance(0.02)
        bench.sim.fault_over_light(1e6)
        bench.sim.fault_marker(1)
        bench.world.table.analyser_deg = 10.0 * mode
        bench.clock.advance(0.1)
        if mode == HIST:
            bench.histogram()
        else:
            bench.read()
        bench.run("StopMeas")
        bench.sim.clear_faults()
        bench.run("CloseDevice")


DOT: dict[str, Any] = {"blinking": {}, "trion_share": 0.1, "superlattice": {}}
benches = [TcspcBench(prefix, dot=DOT) for prefix in MODULES]
benches.append(TcspcBench("MH", dot=DOT, t2_sync="laser"))
before = compiled()
if not any(before.values()):
    sys.exit("nothing at all was compiled: this probe looks in the wrong place")
for bench in benches:
    everything(bench)
    if bench.library.errors:
        sys.exit(str(bench.library.errors))
print(sorted(name for name, count in compiled().items() if count != before.get(name, 0)))
