"""Legacy Montana Cryostation: TCP with two length digits, ASCII commands, text errors.

Command table and texts: Montana "Cryostation Communication Specification" as shown by the public
drivers of QMI and others; what the device does in states that none of them shows is assumed.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from labctl_sim.montana._cryostat import THERMAL_DEFAULTS, MontanaCryostat
from labctl_sim.montana._dialect import Dialect
from labctl_sim.montana._frames import FrameReader, UnframedError, frame
from labctl_sim.wire import Leaving, Send, Session
from labctl_sim.world import World

_DEFAULT_SET_POINT_K = 4.2


class Cryostation(MontanaCryostat):
    """The control laptop of a Cryostation C2 and its relatives."""

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **THERMAL_DEFAULTS,
        "sample_thermometer_fitted": True,
        "decimal_comma": False,
        "external_control": True,
        "magnet_fitted": False,
        "pid_getters_work": True,
        # The manual states no time to a reply. None is assumed, so that reading more often cannot
        # shift what follows.
        "reply_delay_s": 0.0,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        super().__init__(name, world, settings, truth)
        self.alarm = False
        self.dialect = Dialect(self)

    def open(self, send: Send) -> Session:
        """Begin with a client; without external control it is sent away."""
        return _Session(self, send)

    def fault_alarm(self) -> None:
        """Report an alarm until cleared, without any other effect."""
        self.alarm = True

    def fault_decimal_comma(self) -> None:
        """Switch the laptop to a locale with a decimal comma, until cleared."""
        self.dialect.comma = True

    def fault_external_control_off(self) -> None:
        """Send new clients away until cleared, as after a restart of the vendor's program."""
        self.truth["external_control"] = False

    def clear_faults(self) -> None:
        """End all faults."""
        super().clear_faults()
        self.alarm = False
        self.dialect.comma = bool(self.truth["decimal_comma"])
        self.truth["external_control"] = True

    def reset(self) -> None:
        """Restart the vendor's program: automation stopped, default set point and PID values."""
        self.dialect = Dialect(self, _DEFAULT_SET_POINT_K)
        self.plant.pursue("idle", _DEFAULT_SET_POINT_K)


class _Session:
    """One client on the laptop's port; commands are answered in turn."""

    def __init__(self, cryostation: Cryostation, send: Send) -> None:
        self._cryostation = cryostation
        self._leaving = Leaving(cryostation.world, send)
        self._frames = FrameReader()
        if not cryostation.truth["external_control"]:
            send(b"")

    def receive(self, data: bytes) -> None:
        """Answer every whole command, a little later."""
        self._frames.feed(data)
        while (command := self._next_command()) is not None:
            self._reply(frame(self._cryostation.dialect.answer(command)))

    def closed(self) -> None:
        """Nothing is kept for a client."""

    def _next_command(self) -> str | None:
        try:
            return self._frames.next_text()
        except UnframedError:
            # An empty command, which is answered as invalid; the rest has been dropped.
            return ""

    def _reply(self, data: bytes) -> None:
        self._leaving.transmit(data, float(self._cryostation.truth["reply_delay_s"]))
