"""The demo's recipe on its simulated set-up: ``python -m benchmarks.demo FOLDER``.

Prints lab time and wall time of the run, s, as JSON: from the request to the finished product,
without the start of Python.
"""

import json
import sys
from pathlib import Path
from time import perf_counter

from labctl.events import Event, RunStopped
from labctl.host import LocalHost, RunRequest

_CONFIGS = Path(__file__).parents[1] / "configs"


def lab_and_wall_s(folder: Path) -> tuple[float, float]:
    """Return both times of one run, s."""
    request = RunRequest(
        setup=_CONFIGS / "setups" / "microscope.yaml",
        recipe=_CONFIGS / "recipes" / "temperature_series.yaml",
        simulate=True,
        out=folder,
    )
    ends: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, RunStopped):
            ends.append(event.t_mono_s)

    began_s = perf_counter()
    report = LocalHost().run(request, [listen])
    wall_s = perf_counter() - began_s
    if report.outcome.status != "complete" or report.product is None:
        message = f"the demo ended {report.outcome.status}: {report.outcome.reason}"
        raise RuntimeError(message)
    return ends[0], wall_s


if __name__ == "__main__":
    lab_s, wall_s = lab_and_wall_s(Path(sys.argv[1]))
    print(json.dumps({"lab_s": lab_s, "wall_s": wall_s}))
