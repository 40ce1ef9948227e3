"""Calibrations on disk: dated files that are kept for ever, and the one that is in force."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labctl.clock import RealClock
from labctl.errors import ConfigError, Problem
from labctl.recipes import Demand
from labctl.setup import Setup

__all__ = ["CalibrationStore", "home_of_calibrations", "not_in_force"]

Results = dict[str, dict[str, Any]]


class CalibrationStore:
    """The calibrations that a set-up names, below one root folder.

    A file holds ``{"name": …, "results": {key: {…, "calibrated_at": …}}}``.
    """

    def __init__(self, setup: Setup, root: Path, utc: Callable[[], datetime]) -> None:
        """Keep files below ``root`` (simulated set-ups have their own), dated by ``utc``."""
        self._utc = utc
        self._entries = {
            name: (root / entry.file, entry.valid_for_s)
            for name, entry in setup.file.calibrations.items()
        }

    def load(self) -> Results:
        """Return the results in force by name and key.

        Raises:
            ConfigError: A file exists but cannot be read; names all such files.
        """
        problems: list[Problem] = []
        results: Results = {}
        for name, (path, _) in self._entries.items():
            if path.exists():
                try:
                    results[name] = dict(json.loads(path.read_text("utf-8"))["results"])
                except (OSError, ValueError, KeyError, TypeError) as error:
                    hint = "restore a dated copy beside it, or calibrate again"
                    problems.append(Problem(f"not a calibration: {error}", str(path), hint))
        if problems:
            raise ConfigError(problems)
        return results

    def stale(self, results: Results) -> list[str]:
        """Return in words which calibrations have expired."""
        return [
            text
            for name, (_, valid_for_s) in self._entries.items()
            for text in _stale(name, results.get(name, {}), valid_for_s, self._utc())
        ]

    def demand(self, demands: Iterable[Demand], results: Results) -> None:
        """Refuse a recipe that rests on calibrations which are not in force.

        Raises:
            ConfigError: Names all that are missing or have expired, and how to make them.
        """
        problems = list(self.wanting(demands, results))
        if problems:
            raise ConfigError(problems)

    def wanting(self, demands: Iterable[Demand], results: Results) -> Iterator[Problem]:
        """Yield what is not in force of that on which a recipe rests."""
        for demand in demands:
            result = results.get(demand.calibration, {}).get(demand.instrument)
            _, valid_for_s = self._entries[demand.calibration]
            name = f"the calibration {demand.calibration!r} of {demand.instrument}"
            if result is None:
                what = f"{name} is missing"
            elif valid_for_s is not None and self._age_s(result) > valid_for_s:
                what = f"{name} has expired: it is {self._age_s(result) / 86400:.0f} days old"
            else:
                continue
            hint = f"make it with a step 'calibrate: {{kind: {demand.calibration}}}' before"
            yield Problem(f"{demand.scan}: {what}", demand.where, hint)

    def _age_s(self, result: Mapping[str, Any]) -> float:
        return (self._utc() - _made_at(result)).total_seconds()

    def keep(self, name: str, key: str, result: Mapping[str, Any]) -> None:
        """Put a new result in force and keep a dated copy, if the set-up names such a file."""
        if name not in self._entries:
            return
        path, _ = self._entries[name]
        results = self.load().get(name, {})
        results[key] = dict(result)
        text = json.dumps({"name": name, "results": results}, indent=1)
        path.parent.mkdir(parents=True, exist_ok=True)
        stamp = self._utc().strftime("%Y%m%d-%H%M%S-%f")
        dated = path.with_name(f"{path.stem}_{stamp}{path.suffix}")
        dated.write_text(text, "utf-8")
        fresh = path.with_name(f"{path.name}.part")
        fresh.write_text(text, "utf-8")
        os.replace(fresh, path)


def home_of_calibrations(setup: Setup, out: Path | None, *, simulated: bool) -> Path:
    """Return where they lie: those of real instruments in one place, simulated ones with runs."""
    return (out or setup.data_root / "simulated") if simulated else setup.data_root


def not_in_force(setup: Setup, demands: Iterable[Demand], root: Path) -> list[Problem]:
    """Return what is missing below ``root`` now, while nothing is connected yet.

    Raises:
        ConfigError: A file exists but cannot be read.
    """
    store = CalibrationStore(setup, root, RealClock().utc)
    return list(store.wanting(demands, store.load()))


def _stale(
    name: str, results: Mapping[str, Any], valid_for_s: float | None, now: datetime
) -> list[str]:
    if valid_for_s is None:
        return []
    return [
        f"the calibration {name!r} of {key} is {age_s / 86400:.0f} days old; make it again"
        for key, result in results.items()
        if (age_s := (now - _made_at(result)).total_seconds()) > valid_for_s
    ]


def _made_at(result: Mapping[str, Any]) -> datetime:
    text = result.get("calibrated_at") or result.get("evidence", {}).get("calibrated_at", "")
    return datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)
