"""What of an instrument is a choice between words: shutter, emission, grating, position."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labctl.errors import RefusedError
from labctl.roles import (
    Illuminator,
    Instrument,
    Laser,
    PhotonCounter,
    Selector,
    Shutter,
    Spectrograph,
)

__all__ = ["Switch", "switches"]

_BLADE, _LAMP = ("closed", "open"), ("off", "on")
_SET_LEVEL = 0.5
"""Brightness with which an LED is switched on that was never set, share of its largest."""


@dataclass(frozen=True)
class Switch:
    """One choice.

    Attributes:
        name: What is chosen.
        choices: The words.
        read: Returns the present word.
        start: Starts the change; nothing here waits.
        light: Whether the last choice lets light in, which panels mark.
    """

    name: str
    choices: tuple[str, ...]
    read: Callable[[], str]
    start: Callable[[str], None]
    light: bool = False

    def take(self, choice: str) -> None:
        """Start the change to one of the choices.

        Raises:
            RefusedError: It is none of them.
        """
        if choice not in self.choices:
            raise RefusedError(self.name, f"no choice {choice!r}", ", ".join(self.choices))
        self.start(choice)


def switches(instrument: Instrument) -> dict[str, Switch]:
    """Return the switches of a connected instrument by name."""
    match instrument:
        case Spectrograph():
            found = _spectrograph(instrument)
        case Selector():
            found = [_selector(instrument)]
        case Shutter():
            found = [_two("shutter", ("closed", "open"), instrument.is_open, instrument.set_open)]
        case Laser():
            found = [
                _two("emission", ("off", "on"), instrument.is_emitting, instrument.set_emission)
            ]
        case Illuminator():
            found = [_two("light", ("off", "on"), instrument.is_on, _lit(instrument))]
        case PhotonCounter() if instrument.has_shutter:
            found = [_two("shutter", ("closed", "open"), _open(instrument), instrument.set_open)]
        case _:
            found = []
    return {switch.name: switch for switch in found}


def _two(
    name: str,
    words: tuple[str, str],
    read: Callable[[], bool],
    start: Callable[[bool], Any],
) -> Switch:
    return Switch(name, words, lambda: words[read()], lambda w: start(w == words[1]), light=True)


def _open(counter: PhotonCounter) -> Callable[[], bool]:
    return lambda: not counter.is_shut()


def _lit(light: Illuminator) -> Callable[[bool], None]:
    def switch(wanted: bool) -> None:
        if wanted:
            light.switch_on(light.read_set_level() or _SET_LEVEL)
        else:
            light.switch_off()

    return switch


def _selector(selector: Selector) -> Switch:
    return Switch("position", selector.positions(), selector.read_position, selector.start_position)


def _spectrograph(spectrograph: Spectrograph) -> list[Switch]:
    known = {
        (f"{g.lines_per_mm:g}/mm" if g.lines_per_mm else "mirror"): number
        for number, g in spectrograph.gratings().items()
    }
    names = {number: name for name, number in known.items()}

    def grating() -> str:
        return names.get(spectrograph.read_grating(), "?")

    return [
        Switch("grating", tuple(known), grating, lambda w: spectrograph.start_grating(known[w])),
        Switch("exit", ("front", "side"), spectrograph.read_exit, spectrograph.start_exit),
    ]
