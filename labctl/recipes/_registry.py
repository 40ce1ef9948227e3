"""The measurements and calibrations that a recipe can name."""

from importlib.metadata import entry_points

from labctl.errors import ConfigError, Problem
from labctl.measurements import Measurement, Spectrum

__all__ = ["calibration_types", "measurement_types"]

MEASUREMENTS = "labctl.measurements"
CALIBRATIONS = "labctl.calibrations"


def measurement_types() -> dict[str, type[Measurement]]:
    """Return the measurements by their names in recipes."""
    return {Spectrum.kind: Spectrum, **_installed(MEASUREMENTS)}


def calibration_types() -> dict[str, type[Measurement]]:
    """Return the calibrations by the ``kind`` that ``calibrate`` names."""
    return _installed(CALIBRATIONS)


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
