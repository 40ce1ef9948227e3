"""Composite: an instrument without a wire of its own, which acts through others of the set-up."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, TypeVar

from labctl.errors import ConfigError, Problem
from labctl.roles._base import Instrument

__all__ = ["Composite"]

P = TypeVar("P", bound=Instrument)


class Composite(Instrument):
    """Base of what consists of other instruments; stands behind its role in a driver's bases.

    Its ``references`` say which keys of its block name its parts, and what they must be. After
    building all instruments, and before any is connected, the station hands it those parts.
    """

    interface: ClassVar[str] = "hand"

    @abstractmethod
    def part_names(self) -> Mapping[str, str]:
        """Return key of ``references`` → name of the part in the set-up; empty: there is none."""

    @abstractmethod
    def use_parts(self, parts: Mapping[str, Instrument]) -> None:
        """Take the parts by their keys; keys without a part are left out.

        Raises:
            ConfigError: A part plays another role than it must.
        """

    def _part(self, parts: Mapping[str, Instrument], key: str, role: type[P]) -> P:
        """Return a part that there must be.

        Raises:
            ConfigError: It is not there, or it plays another role.
        """
        found = parts.get(key)
        if found is None:
            raise ConfigError([Problem(f"{self.name}: {key!r} names no {role.role}")])
        if not isinstance(found, role):
            what = f"{self.name}: {found.name!r} is a {found.role}, not a {role.role}"
            raise ConfigError([Problem(what)])
        return found
