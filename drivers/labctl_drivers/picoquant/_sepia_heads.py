"""The laser modules behind a Sepia2 library: what SLM 828 and Prima do differently.

Source: the vendor's header and demos: an SLM 828 has six rates of its own and a key for pulses,
a Prima has operation modes and any rate; both count intensity in per mille.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import Limits
from labctl_drivers.picoquant._sepia_library import Output, SepiaLibrary

__all__ = ["PRIMA", "SLM", "Head", "PrimaHead", "SlmHead"]

SLM, PRIMA = 0x70, 0x74
_RATES_HZ = (80e6, 40e6, 20e6, 10e6, 5e6, 2.5e6)
_PULSES = 1
_HEADS = ("failure", "LED", "laser", "none")
_NO_LIGHT = (0, 3)
_OFF, _NARROW = 0, 1
_INTERNAL = 0
_SAME_REL = 1e-6


class Head(ABC):
    """One laser module in one slot."""

    def __init__(self, device: str, library: SepiaLibrary, slot: int) -> None:
        """Nothing is asked yet."""
        self._device, self._library, self.slot = device, library, slot

    @abstractmethod
    def prepare(self) -> None:
        """Choose pulses of its own clock, with the emission locked."""

    @abstractmethod
    def fault(self) -> str:
        """Return why it cannot emit; empty if it can."""

    @abstractmethod
    def set_rep_rate(self, rep_rate_hz: float) -> None:
        """Set the rate, Hz; RefusedError if it has no such rate."""

    @abstractmethod
    def rep_rate_hz(self) -> float | None:
        """Return the rate, Hz; None while something else triggers it."""

    @abstractmethod
    def set_permille(self, permille: int) -> None:
        """Set the intensity, 0 to 1000."""

    @abstractmethod
    def permille(self) -> int:
        """Return the intensity."""

    def wavelength_nm(self) -> float | None:
        """Return the wavelength, nm; None if the module does not know it."""
        return None

    def _ask(self, name: str, *outputs: Output, of: Sequence[int] = ()) -> tuple[int, ...]:
        return self._library.numbers(name, [self.slot, *of], outputs)


class SlmHead(Head):
    """SLM 828 in a PDL 828."""

    def prepare(self) -> None:
        """Choose pulses; the rate stays."""
        rate, _, _ = self._parameters()
        self._library.device_call("SLM_SetPulseParameters", self.slot, rate, _PULSES)

    def fault(self) -> str:
        """Return what is wrong with the laser head."""
        _, pulses, head = self._parameters()
        if head in _NO_LIGHT or head >= len(_HEADS):
            return f"laser head: {_HEADS[head] if head < len(_HEADS) else head}"
        return "" if pulses else "the module does not pulse"

    def set_rep_rate(self, rep_rate_hz: float) -> None:
        """Set one of the six rates."""
        near = [abs(own - rep_rate_hz) <= _SAME_REL * own for own in _RATES_HZ]
        if True not in near:
            known = ", ".join(f"{own / 1e6:g}" for own in _RATES_HZ)
            what = f"rep_rate = {rep_rate_hz / 1e6:g} MHz"
            raise RefusedError(self._device, what, f"it has {known} MHz")
        index = near.index(True)
        self._library.device_call("SLM_SetPulseParameters", self.slot, index, _PULSES)

    def rep_rate_hz(self) -> float | None:
        """Return the rate, Hz; None with an external trigger."""
        rate, _, _ = self._parameters()
        return _RATES_HZ[rate] if 0 <= rate < len(_RATES_HZ) else None

    def set_permille(self, permille: int) -> None:
        """Set the intensity, per mille of the head's voltage."""
        self._library.device_call("SLM_SetIntensityFineStep", self.slot, permille)

    def permille(self) -> int:
        """Return the intensity."""
        return self._ask("SLM_GetIntensityFineStep", "ushort")[0]

    def _parameters(self) -> Sequence[int]:
        kinds: tuple[Output, ...] = ("int", "ubyte", "int")
        return self._ask("SLM_GetPulseParameters", *kinds)


class PrimaHead(Head):
    """Prima: several wavelengths, one at a time."""

    def prepare(self) -> None:
        """Choose narrow pulses of the internal clock."""
        self._library.device_call("PRI_SetTriggerSource", self.slot, _INTERNAL)
        if self._mode() == _OFF:
            self._library.device_call("PRI_SetOperationMode", self.slot, _NARROW)

    def fault(self) -> str:
        """Return that its operation mode is off."""
        return "the operation mode is off" if self._mode() == _OFF else ""

    def set_rep_rate(self, rep_rate_hz: float) -> None:
        """Set any rate between its limits, to 1 Hz."""
        low, high = self._ask("PRI_GetFrequencyLimits", "int", "int")
        if rep_rate_hz not in Limits(low, high):
            what = f"rep_rate = {rep_rate_hz:g} Hz"
            raise RefusedError(self._device, what, f"it has {low:g} to {high:g} Hz")
        self._library.device_call("PRI_SetFrequency", self.slot, round(rep_rate_hz))

    def rep_rate_hz(self) -> float | None:
        """Return the rate, Hz; None with an external trigger."""
        if self._ask("PRI_GetTriggerSource", "int")[0] != _INTERNAL:
            return None
        return float(self._ask("PRI_GetFrequency", "int")[0])

    def set_permille(self, permille: int) -> None:
        """Set the intensity of the present wavelength."""
        self._library.device_call("PRI_SetIntensity", self.slot, self._wavelength(), permille)

    def permille(self) -> int:
        """Return the intensity of the present wavelength."""
        return self._ask("PRI_GetIntensity", "ushort", of=[self._wavelength()])[0]

    def wavelength_nm(self) -> float | None:
        """Return the present wavelength, nm."""
        found = self._ask("PRI_DecodeWavelength", "int", of=[self._wavelength()])[0]
        if found <= 0:
            raise DeviceRefusedError(
                self._device, "SEPIA2_PRI_DecodeWavelength", f"{found} nm", "see its manual"
            )
        return float(found)

    def _mode(self) -> int:
        return self._ask("PRI_GetOperationMode", "int")[0]

    def _wavelength(self) -> int:
        return self._ask("PRI_GetWavelengthIdx", "int")[0]
