"""The measurements and calibrations that a recipe can name, found by their entry points."""

from functools import lru_cache
from importlib.metadata import entry_points

from labctl.errors import ConfigError, Problem
from labctl.measurements import Measurement, Spectrum

__all__ = ["CALIBRATE", "calibration_types", "measurement_types"]

CALIBRATE = "calibrate_"
"""Beginning of the names of calibrations, which recipes write ``calibrate: {kind: …}``."""


def measurement_types() -> dict[str, type[Measurement]]:
    """Return the measurements by the word that begins their step."""
    return {Spectrum.kind: Spectrum, **_installed("labctl.measurements")}


def calibration_types() -> dict[str, type[Measurement]]:
    """Return the calibrations by their ``kind`` in the step ``calibrate``."""
    return dict(_installed("labctl.calibrations"))


@lru_cache
def _installed(group: str) -> dict[str, type[Measurement]]:
    found: dict[str, type[Measurement]] = {}
    for entry in entry_points(group=group):
        try:
            loaded = entry.load()
        except (ImportError, AttributeError) as error:
            what = f"the measurement {entry.name!r} cannot be loaded: {error}"
            raise ConfigError([Problem(what, hint="install what it needs")]) from error
        if not (isinstance(loaded, type) and issubclass(loaded, Measurement)):
            raise ConfigError([Problem(f"{entry.name!r} is not a measurement")])
        found[entry.name] = loaded
    return found
