"""What a measurement is given to work with, and nothing more."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from labctl.clock import Clock
from labctl.events import Level
from labctl.measurements._lit import Lit
from labctl.measurements._optical_table import OpticalTable
from labctl.roles import Settable
from labctl.stations import Station

__all__ = ["Array", "Bank", "Context", "Grown"]


class Array(NamedTuple):
    """A measured array as it is stored.

    Attributes:
        name: Name in the file, e.g. ``counts``.
        values: The numbers; stored with their dtype, little endian.
        units: Unit of the numbers, e.g. ``counts``, ``nm``.
        axes: One name per dimension, e.g. ``("x",)``.
    """

    name: str
    values: NDArray[Any]
    units: str
    axes: tuple[str, ...]


class Grown(NamedTuple):
    """What a point has come to so far, for displays; nothing of it is stored.

    Attributes:
        arrays: Named as those that will be stored.
        facts: Beside them, as plain JSON values; names carry the unit.
    """

    arrays: Sequence[Array]
    facts: Mapping[str, Any] = MappingProxyType({})


class Bank(Exception):  # noqa: N818 - not an error: the run pauses and what has come is kept
    """Raised inside ``wait_until`` of a measurement that can bank: store what has come so far."""


class Context(Protocol):
    """The sequencer as seen from inside a measurement."""

    @property
    def station(self) -> Station:
        """The connected set-up."""
        ...

    @property
    def clock(self) -> Clock:
        """The injected clock; measurements wait through ``wait_until`` of the context."""
        ...

    @property
    def calibrations(self) -> Mapping[str, Any]:
        """Calibrations of the set-up by name, as validated from their dated files."""
        ...

    @property
    def table(self) -> OpticalTable:
        """What the set-up says of the laser and of the light paths."""
        ...

    def wait_until(
        self, ready: Callable[[], bool], *, timeout_s: float, what: str, bankable: bool = False
    ) -> None:
        """Let time pass until ``ready()``.

        Args:
            ready: Asked again after everything that happens.
            timeout_s: Longest time, s.
            what: What is waited for; begins with the name of the device.
            bankable: Whether data come in meanwhile: a pause may keep what has come, and skip and
                repeat may break it off. Otherwise an instrument moves, and only an abort does.

        Raises:
            NoReplyError: Not within ``timeout_s``.
            Bank: ``bankable`` and the user has asked to pause keeping what has come.
        """
        ...

    def wait(self, seconds: float, *, what: str, bankable: bool = False) -> None:
        """Let time pass, s; ``what`` and ``bankable`` as in ``wait_until``.

        Raises:
            Bank: ``bankable`` and the user has asked to pause keeping what has come.
        """
        ...

    def move(self, settable: Settable, value: float) -> float:
        """Start a move, wait until it has arrived, read back; returns the read-back."""
        ...

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Tell displays how far it is."""
        ...

    def live(self, values: Mapping[str, float]) -> None:
        """Tell displays what has come out so far; names carry the unit."""
        ...

    def show(self, grown: Callable[[], Grown]) -> None:
        """Show displays what the point has come to; called only if somebody looks, and not often.

        Must ask no instrument: what is measured must not depend on who looks on.
        """
        ...

    def message(self, level: Level, device: str, text: str) -> None:
        """Tell the user something; it is stored with the run."""
        ...

    def warn_once(self, device: str, text: str) -> None:
        """Warn the user, but only the first time in this run."""
        ...

    def part(self, arrays: Sequence[Array], **data: Any) -> None:
        """Bank a part of the point, then pause; returns when the run goes on."""
        ...

    def new_sidecar(self, suffix: str) -> Path:
        """Return a file for raw data of this point that does not exist yet, e.g. for ``.ptu``."""
        ...

    def keep_sidecar(self, path: Path, **data: Any) -> None:
        """Journal a sidecar that is complete, with its size and checksum."""
        ...

    def store(
        self,
        arrays: Sequence[Array],
        *,
        settings: Mapping[str, Any],
        live_time_s: float,
        quality: int = 0,
        brief: str = "",
    ) -> None:
        """Store the point; it counts once this returns."""
        ...

    def calibrated(self, name: str, key: str, result: Mapping[str, Any]) -> None:
        """Keep a calibration: in the run, in its dated file, and for the points that follow."""
        ...

    def exposed(self, lit_s: float, lit: Lit | None = None) -> None:
        """Tell how long, s, the laser has shone, and onto what; None: what is in the spot."""
        ...

    def remember(self, name: str, value: float) -> None:
        """Keep a number for later measurements of this run, e.g. where the line was last seen."""
        ...

    def remembered(self, name: str) -> float | None:
        """Return what an earlier measurement of this run has kept, None if nothing."""
        ...

    def keep(self, name: str, values: NDArray[Any]) -> None:
        """Keep an array for later measurements of this run, e.g. how the sample looked."""
        ...

    def kept(self, name: str) -> NDArray[Any] | None:
        """Return the array that an earlier measurement of this run has kept, None if nothing."""
        ...

    @property
    def found_dots(self) -> Mapping[str, Any]:
        """The last record of dots that were found in this run; empty: none."""
        ...

    def found(self, what: str, data: Mapping[str, Any]) -> None:
        """Journal something that was found and that later steps depend on."""
        ...
