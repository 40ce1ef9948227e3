"""Laser modules of the Sepia2 library: SLM 828 and Prima, with what they make the head emit."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.libraries import VendorError
from labctl_sim.world import LaserHead, LaserTruth

__all__ = ["Commands", "Module", "Prima", "Slm", "telling"]

_ILLEGAL_RATE, _ILLEGAL_INTENSITY = -6001, -6002
_PRI_WAVELENGTH, _PRI_MODE, _PRI_TRIGGER, _PRI_INTENSITY, _PRI_FREQUENCY = (
    -6533,
    -6537,
    -6541,
    -6545,
    -6547,
)
_RATES_HZ = (80e6, 40e6, 20e6, 10e6, 5e6, 2.5e6)
_RATE_NAMES = ("80.0", "40.0", "20.0", "10.0", " 5.0", " 2.5")
_TRIGGERS = ("external trigger, rising edge", "external trigger, falling edge")
_HEADS = ("Failure", "LED", "laser", "none")
_LASER, _NO_HEAD = 2, 3
_SLOWEST_HZ, _FASTEST_HZ = 1_000, 200_000_000
_MODES = ("Off", "Narrow Pulse", "Broad Pulse", "CW")
_SOURCES = 5
Commands = Mapping[str, Callable[..., list[Any] | None]]


def telling(values: Callable[[], list[Any]]) -> Callable[..., list[Any]]:
    """Make a function that tells values whatever it is called with."""

    def answer(*_: Any) -> list[Any]:
        return values()

    return answer


class Module(ABC):
    """One laser module.

    Attributes:
        head_there: Whether a laser head is plugged in.
    """

    kind: ClassVar[int]
    slot: ClassVar[int]
    label: ClassVar[str]

    def __init__(self, head: LaserHead, laser: LaserTruth) -> None:
        """Stand as the world's laser does."""
        self._head, self._laser = head, laser
        self._permille = round(1000.0 * head.intensity)
        self.head_there = True

    @abstractmethod
    def pulsing(self) -> bool:
        """Whether it would emit without any lock."""

    @abstractmethod
    def commands(self) -> Commands:
        """Functions of the library by name without prefix."""

    def _set_permille(self, permille: int, refusal: int) -> None:
        if permille > 1000:
            raise VendorError(refusal)
        self._permille = permille
        self._head.set_intensity(1e-3 * permille)


class Slm(Module):
    """SLM 828: six rates of its own, or an external trigger, which nobody has plugged in."""

    kind, slot, label = 0x70, 200, "SLM 828 laser driver module"

    def __init__(self, head: LaserHead, laser: LaserTruth) -> None:
        super().__init__(head, laser)
        apart = [abs(own - laser.rep_rate_hz) for own in _RATES_HZ]
        self._rate, self._pulses = apart.index(min(apart)), 1

    def pulsing(self) -> bool:
        """Whether pulses come."""
        return bool(self._pulses) and self.head_there and self._rate < len(_RATES_HZ)

    def commands(self) -> Commands:
        """Functions of an SLM 828."""
        return {
            "SLM_DecodeFreqTrigMode": _name_of_rate,
            "SLM_DecodeHeadType": _name_of_head,
            "SLM_GetPulseParameters": telling(self._parameters),
            "SLM_SetPulseParameters": self._set_pulses,
            "SLM_GetIntensityFineStep": telling(lambda: [self._permille]),
            "SLM_SetIntensityFineStep": self._set_fine_step,
        }

    def _parameters(self) -> list[Any]:
        return [self._rate, self._pulses, _LASER if self.head_there else _NO_HEAD]

    def _set_fine_step(self, _index: int, _slot: int, permille: int) -> None:
        self._set_permille(permille, _ILLEGAL_INTENSITY)

    def _set_pulses(self, _index: int, _slot: int, rate: int, pulses: int) -> None:
        if not 0 <= rate < len(_RATES_HZ) + len(_TRIGGERS):
            raise VendorError(_ILLEGAL_RATE)
        self._rate, self._pulses = rate, pulses
        if rate < len(_RATES_HZ):
            self._head.set_rep_rate(_RATES_HZ[rate])


class Prima(Module):
    """Prima with three wavelengths; the first is that of the world's laser."""

    kind, slot, label = 0x74, 100, "Prima laser module"

    def __init__(self, head: LaserHead, laser: LaserTruth) -> None:
        super().__init__(head, laser)
        self._wavelengths_nm = (round(laser.wavelength_nm), 515, 640)
        self._frequency_hz = round(laser.rep_rate_hz)
        self._mode, self._source, self._wavelength = 1, 0, 0

    def pulsing(self) -> bool:
        """Whether light of the right wavelength comes; an external trigger is not plugged in."""
        return self._mode in (1, 2) and self._source == 0 and self._wavelength == 0

    def commands(self) -> Commands:
        """Functions of a Prima."""
        return {
            "PRI_GetDeviceInfo": telling(lambda: ["00002", "Prima-3", "0.2.6", 3]),
            "PRI_DecodeOperationMode": self._name_of_mode,
            "PRI_GetOperationMode": telling(lambda: [self._mode]),
            "PRI_SetOperationMode": self._set_mode,
            "PRI_GetTriggerSource": telling(lambda: [self._source]),
            "PRI_SetTriggerSource": self._set_source,
            "PRI_GetFrequencyLimits": telling(lambda: [_SLOWEST_HZ, _FASTEST_HZ]),
            "PRI_GetFrequency": telling(lambda: [self._frequency_hz]),
            "PRI_SetFrequency": self._set_frequency,
            "PRI_DecodeWavelength": self._wavelength_of,
            "PRI_GetWavelengthIdx": telling(lambda: [self._wavelength]),
            "PRI_SetWavelengthIdx": self._set_wavelength,
            "PRI_GetIntensity": telling(lambda: [self._permille]),
            "PRI_SetIntensity": self._set_intensity,
        }

    def _name_of_mode(self, _index: int, _slot: int, mode: int) -> list[Any]:
        return [_MODES[_bounded(mode, len(_MODES), _PRI_MODE)]]

    def _wavelength_of(self, _index: int, _slot: int, wavelength: int) -> list[Any]:
        return [self._wavelengths_nm[_bounded(wavelength, 3, _PRI_WAVELENGTH)]]

    def _set_intensity(self, _index: int, _slot: int, _wavelength: int, permille: int) -> None:
        self._set_permille(permille, _PRI_INTENSITY)

    def _set_mode(self, _index: int, _slot: int, mode: int) -> None:
        self._mode = _bounded(mode, len(_MODES), _PRI_MODE)

    def _set_source(self, _index: int, _slot: int, source: int) -> None:
        self._source = _bounded(source, _SOURCES, _PRI_TRIGGER)

    def _set_wavelength(self, _index: int, _slot: int, wavelength: int) -> None:
        self._wavelength = _bounded(wavelength, 3, _PRI_WAVELENGTH)

    def _set_frequency(self, _index: int, _slot: int, frequency_hz: int) -> None:
        if not _SLOWEST_HZ <= frequency_hz <= _FASTEST_HZ:
            raise VendorError(_PRI_FREQUENCY)
        self._frequency_hz = frequency_hz
        self._head.set_rep_rate(float(frequency_hz))


def _bounded(value: int, count: int, refusal: int) -> int:
    if not 0 <= value < count:
        raise VendorError(refusal)
    return value


def _name_of_rate(rate: int) -> list[Any]:
    if 0 <= rate < len(_RATES_HZ):
        return [f"{_RATE_NAMES[rate]} MHz (int.)"]
    return [_TRIGGERS[_bounded(rate - len(_RATES_HZ), len(_TRIGGERS), _ILLEGAL_RATE)]]


def _name_of_head(head: int) -> list[Any]:
    return [_HEADS[head] if 0 <= head < len(_HEADS) else "?"]
