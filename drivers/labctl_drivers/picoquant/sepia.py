"""PicoQuant PDL 828 "Sepia II" with an SLM 828, and Prima, through the Sepia2 library.

Source: the vendor's header ``Sepia2_Lib.h`` and its demos (version 1.2).
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from pydantic import Field

from labctl.errors import DeviceError, NoReplyError, RefusedError
from labctl.roles import INTENSITY, Identity, Laser, Limits, SettableSpec, Settings
from labctl.transport import LibraryLink
from labctl.units import Hertz, Percent
from labctl_drivers.picoquant._sepia_heads import PRIMA, SLM, Head, PrimaHead, SlmHead
from labctl_drivers.picoquant._sepia_library import DEVICES, SepiaLibrary

__all__ = ["Sepia", "SepiaSettings"]

_SAFETY = 0x40
_HEADS: Mapping[int, type[Head]] = {SLM: SlmHead, PRIMA: PrimaHead}
_LOCKED, _UNLOCKED = 1, 0


class SepiaSettings(Settings):
    """Keys of a Sepia or Prima in the set-up file.

    Attributes:
        serial: Serial number; empty: the first device that the library opens.
        slot: Slot of the laser module; none: the first one.
        intensity: Percent of full scale, at which the fluence of the set-up holds; none: as it
            stands. It is the head's voltage, no power.
        rep_rate: Repetition rate; none: as it stands.
        library: File of the vendor's library; empty: ``Sepia2_Lib.dll`` where the system looks.
    """

    serial: str = ""
    slot: int | None = Field(None, ge=100, lt=1000)
    intensity: Percent | None = Field(None, gt=0, le=100)
    rep_rate: Hertz | None = Field(None, gt=0)
    library: str = ""


class Sepia(Laser):
    """Driver of one laser module; it is dark from ``connect`` on until it is told to emit.

    Light is switched by the soft lock of the safety module, which the key and the interlock of
    the hard lock stand above.
    """

    interface: ClassVar[str] = "library"
    settings_type: ClassVar[type[Settings]] = SepiaSettings
    settables = {
        "intensity": INTENSITY,
        "rep_rate": SettableSpec("Hz", Limits(1e3, 2e8), 10.0, 1.0),
    }
    readables = {**Laser.readables, "intensity": "%", "rep_rate": "Hz"}

    def __init__(
        self, name: str, link: LibraryLink, settings: SepiaSettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; the library is loaded by ``connect``."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self.reference_percent = settings.intensity
        self._opened: SepiaLibrary | None = None
        self._head: Head | None = None
        self._safety_slot = 0
        self._identity = Identity("PicoQuant", "")
        self._library_version = ""

    def identity(self) -> Identity:
        """Return who answered when the connection was made."""
        return self._identity

    def snapshot(self) -> dict[str, Any]:
        """Return locks, rate and intensity."""
        return {
            "emitting": self.is_emitting(),
            "hard_locked": self._flag("SCM_GetLaserLocked"),
            "soft_locked": self._flag("SCM_GetLaserSoftLock"),
            "intensity_percent": self.read_intensity(),
            "rep_rate_hz": self.rep_rate_hz(),
            "wavelength_nm": self.wavelength_nm(),
            "slot": self._module().slot,
            "library_version": self._library_version,
        }

    def interlock(self) -> str:
        """Return that the hard lock is on, or what is wrong with the head."""
        if self._flag("SCM_GetLaserLocked"):
            return "hard lock: the interlock is open or the key is not turned"
        return self._module().fault()

    def is_emitting(self) -> bool:
        """Ask both locks and the head."""
        locked = self._flag("SCM_GetLaserSoftLock") or self._flag("SCM_GetLaserLocked")
        return not locked and not self._module().fault()

    def rep_rate_hz(self) -> float | None:
        """Return the repetition rate, Hz; None while something else triggers the laser."""
        return self._module().rep_rate_hz()

    def wavelength_nm(self) -> float | None:
        """Return the wavelength of a Prima, nm; an SLM 828 does not know it."""
        return self._module().wavelength_nm()

    def read_intensity(self) -> float:
        """Return the intensity, percent of full scale."""
        return 0.1 * self._module().permille()

    def read_rep_rate(self) -> float:
        """Return the repetition rate, Hz; NaN while something else triggers the laser."""
        rate_hz = self.rep_rate_hz()
        return float("nan") if rate_hz is None else rate_hz

    def flush(self) -> None:
        """Open the device anew after a failure of USB; it stays dark."""
        self._close()
        with suppress(DeviceError):
            self._open()

    def _write_emission(self, wanted: bool) -> None:
        self._lock(_UNLOCKED if wanted else _LOCKED)

    def _write_intensity(self, percent: float) -> None:
        self._module().set_permille(round(10.0 * percent))

    def _write_rep_rate(self, rep_rate_hz: float) -> None:
        self._module().set_rep_rate(rep_rate_hz)

    def _open(self) -> None:
        library = self._link.open(SepiaLibrary, self.name, self._settings.library)
        self._library_version = library.version()
        model, serial = self._open_device(library)
        self._opened = library
        modules = library.modules()
        self._identity = Identity("PicoQuant", model, serial, library.firmware())
        self._safety_slot = self._slot_of(modules, _SAFETY)
        self._head = self._make_head(library, modules)
        # Dark first, then the parameters.
        self._lock(_LOCKED)
        self._head.prepare()
        self._push()

    def _push(self) -> None:
        wanted = {"intensity": self._settings.intensity, "rep_rate": self._settings.rep_rate}
        for quantity, value in wanted.items():
            if value is not None:
                settable = self.settable(quantity)
                settable.start(value)
                settable.confirm(value)

    def _open_device(self, library: SepiaLibrary) -> tuple[str, str]:
        """Open the device with the right serial number."""
        seen: list[str] = []
        failure: DeviceError | None = None
        for index in range(DEVICES):
            code, model, serial = library.open(index)
            if code != 0:
                failure = failure or library.error("USB_OpenDevice", code)
                continue
            if self._settings.serial in ("", serial):
                return model, serial
            seen.append(serial)
            library.device_call("USB_CloseDevice")
        if seen or failure is None:
            what = f"no serial number {self._settings.serial!r}; there are {', '.join(seen)}"
            raise NoReplyError(self.name, "SEPIA2_USB_OpenDevice", what, "check 'serial'")
        raise failure

    def _make_head(self, library: SepiaLibrary, modules: Mapping[int, int]) -> Head:
        lasers = {slot: kind for slot, kind in modules.items() if kind in _HEADS}
        slot = self._settings.slot if self._settings.slot is not None else min(lasers, default=-1)
        if slot not in lasers:
            known = ", ".join(str(one) for one in lasers) or "none"
            what = f"no laser module in slot {slot}" if slot >= 0 else "no laser module"
            raise RefusedError(self.name, what, f"slots with an SLM 828 or a Prima: {known}")
        return _HEADS[lasers[slot]](self.name, library, slot)

    def _slot_of(self, modules: Mapping[int, int], kind: int) -> int:
        found = [slot for slot, one in modules.items() if one == kind]
        if not found:
            remedy = "is this a laser driver?"
            raise DeviceError(self.name, "SEPIA2_COM_GetModuleType", "no safety module", remedy)
        return found[0]

    def _close(self) -> None:
        library, self._opened, head, self._head = self._opened, None, self._head, None
        if library is not None:
            if head is not None:
                with suppress(DeviceError):
                    library.device_call("SCM_SetLaserSoftLock", self._safety_slot, _LOCKED)
            with suppress(DeviceError):
                library.close()
        self._link.let_go()

    def _lock(self, state: int) -> None:
        self._library().device_call("SCM_SetLaserSoftLock", self._safety_slot, state)

    def _flag(self, name: str) -> bool:
        return bool(self._library().numbers(name, [self._safety_slot], ["ubyte"])[0])

    def _library(self) -> SepiaLibrary:
        if self._opened is None:
            raise NoReplyError(self.name, "library call", "not connected", "connect first")
        return self._opened

    def _module(self) -> Head:
        if self._head is None:
            raise NoReplyError(self.name, "library call", "not connected", "connect first")
        return self._head
