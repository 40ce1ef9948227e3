"""The catalogue over three cooldowns of a sample, on a session without instruments' light."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_lab import Bench, Look
from labctl.errors import AnalysisError, ConfigError
from labctl.measurements import CATALOGUE, DOTS, Catalogue, Context, FoundDot, stored_dots
from labctl.storage import read_run

PLACES = [
    (0.0, 0.0), (6.1, 0.8), (15.4, -2.4), (4.0, 12.6), (18.8, 11.0), (10.4, 22.0), (-6.0, 8.2),
    (21.5, 25.1), (-9.7, -7.0), (12.3, 6.9), (1.8, 28.4), (25.2, -8.8),
]  # fmt: skip
SAMPLE = "chip 12"


def as_seen(places: list[tuple[float, float]], *, turn_deg: float = 0.0, by_um: float = 0.0) -> Any:
    cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    dots = [
        FoundDot(
            f"D{n:03d}", cos * x - sin * y + by_um, 0.02, sin * x + cos * y - by_um, 0.02,
            1e4 / n, 30.0, 1.0,
        )
        for n, (x, y) in enumerate(places, 1)
    ]  # fmt: skip
    return {DOTS: [dot.as_setting() for dot in dots], "counting": {}, "spot_um": 0.7}


class Cooldown(Bench):
    """A run in which dots are found and the catalogue is asked."""

    def __init__(self, folder: Path, seen: Any, calibrations: dict[str, Any]) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.session.calibrations = calibrations
        self.kept: list[tuple[str, str]] = []

        def keep(name: str, key: str, _result: Mapping[str, Any]) -> None:
            self.kept.append((name, key))

        self.session.keep_calibration = keep
        self.start()
        self._seen = seen

    def look(self, monkeypatch: pytest.MonkeyPatch, **asked: Any) -> None:
        def found(context: Context) -> None:
            context.found(DOTS, self._seen)

        monkeypatch.setattr(Look, "works", found)
        self.session.measure(Look(), step_id="find")
        self.session.measure(Catalogue(sample=SAMPLE, **asked), step_id="name")

    @property
    def names(self) -> list[str]:
        return [dot.name for dot in stored_dots(self.session.dots.record)]

    def texts(self) -> list[str]:
        return [event.text for event in self.of("message")]


def test_names_last_and_drift_losses_and_new_dots_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Any] = {}
    first = Cooldown(tmp_path / "1", as_seen(PLACES), kept)
    first.look(monkeypatch)
    assert first.names == [f"D{n:03d}" for n in range(1, 13)]
    assert first.kept == [(CATALOGUE, SAMPLE)]
    # The third is gone, one is new, the order of brightness is another.
    after = [*reversed([*PLACES[:2], *PLACES[3:]]), (16.0, 19.5)]
    second = Cooldown(tmp_path / "2", as_seen(after, turn_deg=2.0, by_um=4.0), kept)
    second.look(monkeypatch)
    assert second.names == [*(f"D{n:03d}" for n in range(12, 3, -1)), "D002", "D001", "D013"]
    assert any("new: D013" in text for text in second.texts())
    assert any("missing: D003" in text for text in second.texts())
    record = kept[CATALOGUE][SAMPLE]
    look = record["looks"][-1]
    assert look["rotation_deg"] == pytest.approx(2.0, abs=0.2)
    assert (look["again"], look["new"], look["missing"]) == (11, ["D013"], ["D003"])
    moved = [abs(record["dots"][name]["history"][-1]["moved_x_um"]) for name in second.names[:11]]
    assert max(moved) < 0.1
    assert [len(dot["history"]) for dot in record["dots"].values()] == [2, 2, 1, *[2] * 9, 1]
    x_um, y_um = (record["dots"]["D013"][key] for key in ("x_um", "y_um"))
    assert (x_um, y_um) == pytest.approx((16.0, 19.5), abs=0.1)
    second.writer.sync()
    stored = read_run(second.journal).data["catalogue"]
    np.testing.assert_array_equal(stored["known"].values.ravel(), [*[1] * 11, 0])


def test_another_sample_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = {}
    Cooldown(tmp_path / "1", as_seen(PLACES), kept).look(monkeypatch)
    before = kept[CATALOGUE][SAMPLE]
    strange = [(x * 1.3 + 0.2 * y, y * 0.7) for x, y in PLACES]
    other = Cooldown(tmp_path / "2", as_seen(strange), kept)
    with pytest.raises(AnalysisError, match="nothing was named"):
        other.look(monkeypatch)
    assert kept[CATALOGUE][SAMPLE] is before
    assert other.kept == []


def test_without_dots_there_is_no_catalogue(tmp_path: Path) -> None:
    bench = Cooldown(tmp_path / "1", {}, {})
    with pytest.raises(ConfigError, match="found earlier in the run"):
        bench.session.measure(Catalogue(sample=SAMPLE), step_id="name")
