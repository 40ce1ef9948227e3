"""PicoQuant PDL 828 with an SLM 828, or a Prima, beneath the Sepia2 library.

Functions, codes and texts: the vendor's header, error codes and run protocols of version 1.2.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from labctl_sim.libraries import VendorError
from labctl_sim.picoquant._sepia_face import sepia_library
from labctl_sim.picoquant._sepia_modules import Commands, Module, Prima, Slm, telling
from labctl_sim.world import LASER_DEFAULTS, LaserHead, World

__all__ = ["Sepia"]

_OPEN_FAILED, _BUSY, _CHANGED, _BAD_INDEX, _BAD_SLOT = -2002, -2003, -2006, -2011, -2014
_NOT_OPEN, _UNKNOWN = -3217, -9999
_TEXTS: Mapping[int, str] = {
    0: "no error",
    -1004: "FW: CRC error while checking module",
    _OPEN_FAILED: "USB: open device error",
    _BUSY: "USB: device busy",
    _CHANGED: "USB: device changed",
    _BAD_INDEX: "USB: device index error",
    _BAD_SLOT: "I2C: illegal slot id",
    -3005: "I2C: read back error",
    -3201: "USB: invalid argument",
    -3210: "USB: IOCTRL failed",
    _NOT_OPEN: "USB: device not open",
    -6001: "SLM: illegal frequency / triggermode",
    -6002: "SLM: illegal intensity (> 100% or < 0%)",
    -6533: "PRI: illegal wavelength index",
    -6537: "PRI: illegal operation mode index",
    -6541: "PRI: illegal trigger source index",
    -6545: "PRI: illegal intensity data",
    -6547: "PRI: illegal frequency data",
}
_LIBRARY = "1.2.64.767"
_DEVICES = 8
_BACKPLANE_SLOT, _SAFETY_SLOT = -1, 0
_SAFETY = 0x40
_ANYTIME = ("LIB_GetVersion", "LIB_DecodeError", "USB_OpenDevice", "USB_OpenGetSerNumAndClose")
_BEFORE_MAP = ("USB_CloseDevice", "USB_GetStrDescriptor", "FWR_GetVersion", "FWR_GetModuleMap",
               "FWR_GetLastError")  # fmt: skip


class Sepia:
    """One laser driver, switched on, nobody connected.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block: ``serial`` and ``intensity_percent`` (where the set-up's
            fluence holds) are used.
        truth: What differs from ``truth_defaults``: ``model`` ("Sepia II" or "Prima"),
            ``device_number`` among the library's devices, ``key_turned``, and ``LASER_DEFAULTS``.
    """

    interface: ClassVar[str] = "library"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **LASER_DEFAULTS,
        "model": "Sepia II",
        "device_number": 0,
        "key_turned": True,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self._serial = str(settings.get("serial") or "2020-001")
        reference = 0.01 * float(settings.get("intensity_percent") or 100.0)
        self._head = LaserHead(name, world, self.truth, reference)
        prima = self.truth["model"] == "Prima"
        kind: type[Module] = Prima if prima else Slm
        self.module = kind(self._head, world.laser)
        self._hard_locked = not self.truth["key_turned"]
        self._soft_locked = not self._head.on
        self._open = self._mapped = self._unplugged = self._busy = False
        self._refusals: list[int] = []
        self._commands = {**self._library(), **self._safety(), **self.module.commands()}

    @classmethod
    def truth_problems(
        cls, _settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Tell which truths cannot be."""
        model = str(truth.get("model", "Prima"))
        if model in ("Sepia II", "Prima"):
            return []
        return [("model", f"{model!r} is not simulated; there are Sepia II, Prima")]

    face = staticmethod(sepia_library)

    def call(self, method: str, arguments: list[Any]) -> list[Any]:
        """Answer a function with the library's code and a list of what it gives.

        Raises:
            KeyError: No such function; a mistake of the face, not of the client.
        """
        with self.world.lock:
            try:
                self._check(method, arguments)
                answer = self._commands[method](*arguments) or []
            except VendorError as refusal:
                return [refusal.code, []]
            self._shine()
            return [0, answer]

    def fault_unplug(self) -> None:
        """Pull the USB cable until cleared; the laser goes on as it is."""
        self._unplugged, self._open, self._mapped = True, False, False

    def fault_interlock(self) -> None:
        """Open the interlock until cleared: the hard lock is on."""
        self._hard_locked = True
        self._shine()

    def fault_no_head(self) -> None:
        """Unplug the laser head until cleared."""
        self.module.head_there = False
        self._shine()

    def fault_refuse(self, times: int = 1, code: int = -3005) -> None:
        """Let the next calls fail with a code."""
        self._refusals += [code] * times

    def fault_other_program(self) -> None:
        """Let another program hold the device until cleared."""
        self._busy = True

    def clear_faults(self) -> None:
        """End all faults; a laser whose interlock is closed again waits for its soft lock."""
        if self._hard_locked and self.truth["key_turned"]:
            self._soft_locked = True
        self._hard_locked = not self.truth["key_turned"]
        self._unplugged = self._busy = False
        self.module.head_there = True
        self._refusals.clear()
        self._shine()

    def drop_client(self) -> None:
        """Close what a program that has died had open; the rest stays as it was."""
        with self.world.lock:
            self._open = self._mapped = False

    def reset(self) -> None:
        """Switch it off and on: locked, settings as before."""
        self._open = self._mapped = False
        self._soft_locked = True
        self._shine()

    def _shine(self) -> None:
        self._head.emit(not (self._hard_locked or self._soft_locked) and self.module.pulsing())

    def _check(self, method: str, arguments: list[Any]) -> None:
        if method in ("LIB_GetVersion", "LIB_DecodeError", "COM_DecodeModuleType") or (
            "_Decode" in method and method.startswith("SLM")
        ):
            return
        if not 0 <= int(arguments[0]) < _DEVICES:
            raise VendorError(_BAD_INDEX)
        mine = int(arguments[0]) == int(self.truth["device_number"])
        if method in _ANYTIME:
            if self._unplugged or not mine:
                raise VendorError(_OPEN_FAILED)
            if self._busy or self._open:
                raise VendorError(_BUSY)
            return
        if not self._open or not mine:
            raise VendorError(_NOT_OPEN)
        if self._refusals:
            raise VendorError(self._refusals.pop(0))
        if method not in _BEFORE_MAP and not self._mapped:
            raise VendorError(_BAD_SLOT)
        slot = {"SCM": _SAFETY_SLOT, "SLM": self.module.slot, "PRI": self.module.slot}
        if method[:3] in slot and int(arguments[1]) != slot[method[:3]]:
            raise VendorError(_BAD_SLOT)

    def _library(self) -> Commands:
        return {
            "LIB_GetVersion": telling(lambda: [_LIBRARY]),
            "LIB_DecodeError": _decode_error,
            "USB_OpenDevice": self._open_device,
            "USB_OpenGetSerNumAndClose": self._look,
            "USB_CloseDevice": self._close_device,
            "USB_GetStrDescriptor": telling(self._descriptor),
            "FWR_GetVersion": telling(lambda: ["2.01.624"]),
            "FWR_GetLastError": telling(lambda: [0, 0, 0, 0, ""]),
            "FWR_GetModuleMap": self._map,
            "FWR_GetModuleInfoByMapIdx": self._describe,
            "FWR_FreeModuleMap": self._unmap,
            "COM_GetModuleType": self._type_of,
            "COM_DecodeModuleType": self._name_of_type,
            "COM_GetSerialNumber": telling(lambda: [self._serial]),
        }

    def _safety(self) -> Commands:
        return {
            "SCM_GetPowerAndLaserLEDS": telling(lambda: [1, int(self._head.on)]),
            "SCM_GetLaserLocked": telling(lambda: [int(self._hard_locked)]),
            "SCM_GetLaserSoftLock": telling(lambda: [int(self._soft_locked)]),
            "SCM_SetLaserSoftLock": self._set_soft_lock,
        }

    def _descriptor(self) -> list[Any]:
        return [f"PicoQuant, {self.truth['model']}, Build 0624, {self._serial}"]

    def _look(self, index: int, model: str, serial: str) -> list[Any]:
        del index
        if model not in ("", self.truth["model"]) or serial not in ("", self._serial):
            raise VendorError(_OPEN_FAILED)
        return [str(self.truth["model"]), self._serial]

    def _open_device(self, index: int, model: str, serial: str) -> list[Any]:
        found = self._look(index, model, serial)
        self._open, self._mapped = True, False
        return found

    def _close_device(self, _index: int) -> None:
        self._open = self._mapped = False

    def _entries(self) -> list[tuple[int, int, int]]:
        """Slot, whether it is the backplane, type."""
        return [
            (_BACKPLANE_SLOT, 1, 0xC8),
            (_SAFETY_SLOT, 0, _SAFETY),
            (self.module.slot, 0, self.module.kind),
        ]

    def _name_of_type(self, kind: int) -> list[Any]:
        known = {0xC8: "backplane", _SAFETY: "safety module", self.module.kind: self.module.label}
        return [known.get(kind, "unknown")]

    def _map(self, _index: int, _restart: int) -> list[Any]:
        self._mapped = True
        return [len(self._entries())]

    def _unmap(self, _index: int) -> None:
        self._mapped = False

    def _describe(self, _index: int, entry: int) -> list[Any]:
        if not 0 <= entry < len(self._entries()):
            raise VendorError(_BAD_SLOT)
        slot, backplane, _ = self._entries()[entry]
        return [slot, 1, backplane, 0]

    def _type_of(self, _index: int, slot: int, _primary: int) -> list[Any]:
        found = [kind for one, _, kind in self._entries() if one == slot]
        if not found:
            raise VendorError(_BAD_SLOT)
        return found

    def _set_soft_lock(self, _index: int, _slot: int, locked: int) -> None:
        self._soft_locked = bool(locked)


def _decode_error(code: int) -> list[Any]:
    if code not in _TEXTS:
        raise VendorError(_UNKNOWN)
    return [_TEXTS[code]]
