"""Cases: what is rendered and fitted for one seed, and where the cases are found."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from labctl.analysis import Measured

__all__ = ["Case", "Observation", "find_cases", "observed"]

_PACKAGE = "benchmarks.coverage.cases"


class Observation(NamedTuple):
    """What one seed gave for one quantity, all in one unit.

    Attributes:
        value: Result of the fit.
        error: Its standard error; NaN where the fit determined nothing.
        truth: What the world really was.
    """

    value: float
    error: float
    truth: float

    @property
    def pull(self) -> float:
        """``(value - truth) / error``."""
        return Measured(self.value, self.error).pull(self.truth)


@dataclass(frozen=True)
class Case:
    """One experiment whose errors are checked.

    Attributes:
        name: Unique; letters, digits, hyphens.
        experiment: Its id, such as ``"E04"``.
        quantities: Names of all that is determined, in the order of the table.
        observe: Renders and fits one seed; returns an observation for each quantity.
        about: Markdown: what counts as true, what the analysis was given, what limits it.
    """

    name: str
    experiment: str
    quantities: tuple[str, ...]
    observe: Callable[[int], Mapping[str, Observation]]
    about: str

    def pulls(self, seed: int) -> dict[str, float]:
        """Return the pull of each quantity for one seed.

        Raises:
            ValueError: If the function returned other quantities than the case names.
        """
        found = self.observe(seed)
        differ = set(found) ^ set(self.quantities)
        if differ:
            msg = f"{self.name}: named or returned, but not both: {', '.join(sorted(differ))}"
            raise ValueError(msg)
        return {name: found[name].pull for name in self.quantities}


def observed(measured: Measured, truth: float) -> Observation:
    """Return the observation of a measured quantity."""
    return Observation(measured.value, measured.error, truth)


def find_cases() -> dict[str, Case]:
    """Return all cases by name, in order of experiment and name.

    Raises:
        ValueError: If two cases have one name.
    """
    package = importlib.import_module(_PACKAGE)
    found: list[Case] = []
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            found += importlib.import_module(f"{_PACKAGE}.{module.name}").CASES
    cases = {case.name: case for case in sorted(found, key=lambda c: (c.experiment, c.name))}
    if len(cases) < len(found):
        msg = f"two cases have one name: {sorted(case.name for case in found)}"
        raise ValueError(msg)
    return cases
