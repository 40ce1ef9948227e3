"""Finding drivers, simulators and simulated set-ups by their entry points."""

from importlib.metadata import EntryPoints, entry_points
from typing import Any

from labctl.errors import ConfigError, Problem
from labctl.roles import Instrument
from labctl.setup._words import did_you_mean

__all__ = ["DRIVERS", "RIGS", "SIMULATORS", "Plugins"]

DRIVERS = "labctl.drivers"
SIMULATORS = "labctl.simulators"
RIGS = "labctl.rigs"


class Plugins:
    """What is installed now; looked up once, loaded when asked for."""

    def __init__(self) -> None:
        """Read the names of all entry points."""
        self._groups: dict[str, EntryPoints] = {
            group: entry_points(group=group) for group in (DRIVERS, SIMULATORS, RIGS)
        }

    def names(self, group: str) -> list[str]:
        """Return the names of a group."""
        return sorted(self._groups[group].names)

    def load(self, group: str, name: str) -> Any:
        """Load the object of that name.

        Raises:
            ConfigError: No such name, or it cannot be imported; without a place in a file.
        """
        word = {DRIVERS: "driver", SIMULATORS: "simulator", RIGS: "simulated set-up"}[group]
        if name not in self._groups[group].names:
            hint = did_you_mean(name, self.names(group), kind="installed")
            raise ConfigError([Problem(f"there is no {word} {name!r}", hint=hint)])
        try:
            return self._groups[group][name].load()
        except (ImportError, AttributeError, OSError) as error:
            what = f"the {word} {name!r} cannot be loaded: {error}"
            raise ConfigError([Problem(what, hint="install what it needs")]) from error

    def driver(self, name: str) -> type[Instrument]:
        """Load a driver class; nothing is connected.

        Raises:
            ConfigError: As ``load``, or it is no driver.
        """
        found = self.load(DRIVERS, name)
        if not (isinstance(found, type) and issubclass(found, Instrument)):
            raise ConfigError([Problem(f"{name!r} is not a driver", hint="tell its author")])
        return found
