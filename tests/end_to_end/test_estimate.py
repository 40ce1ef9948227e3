"""The lab time that a recipe is said to take, against the time that it takes."""

from collections.abc import Generator
from unittest.mock import patch

import pytest

from labctl.events import Event
from labctl.host import LocalHost, prepare
from small_setup import LEGACY, S_SERIES, Bench

SERIES = """
name: temperatures
steps:
  - scan: cryostat.temperature
    values: [VALUES]
    settle: {tolerance: 50 mK, std: 50 mK, for: DWELL, timeout: 90 min}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2}
"""


@pytest.fixture(autouse=True)
def no_product() -> Generator[None]:
    with patch("labctl.host._runner.finalise_in_child") as finalise:
        finalise.return_value.product = None
        yield


@pytest.mark.parametrize(
    ("words", "values", "dwell"),
    [
        (LEGACY, "4, 10, 20, 30, 40", "15 min"),
        (LEGACY, "4, 10, 20, 40, 30, 10", "5 min"),
        (S_SERIES, "4, 5, 6, 7", "5 min"),
    ],
)
def test_a_temperature_series_takes_as_long_as_was_said(
    bench: Bench, words: dict[str, str], values: str, dwell: str
) -> None:
    # The simulated cryostat is cold when a run begins, as the first temperature of each series is.
    recipe = bench.recipe(SERIES.replace("VALUES", values).replace("DWELL", dwell))
    request = bench.request(setup=bench.setup(words), recipe=recipe)
    expected_s = prepare(request)[2].expected_s
    times_s: list[float] = []

    def note(event: Event) -> None:
        times_s.append(event.t_mono_s)

    report = LocalHost().run(request, [note])
    assert report.outcome.status == "complete", report.outcome.reason
    assert expected_s == pytest.approx(times_s[-1] - times_s[0], rel=0.15)
