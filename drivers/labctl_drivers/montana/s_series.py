"""Montana Instruments s-series and CryoAdvance (s50, s100, s200): REST on port 47101."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from labctl.errors import DeviceRefusedError, GarbledReplyError
from labctl.roles import Cryostat, Identity, Limits, Settings
from labctl.transport import GarbledBytesError, HttpReply, HttpTransport, RefusalError
from labctl.units import Seconds
from labctl_drivers.montana import _s_series_wire as wire

__all__ = ["SSeries", "SSeriesSettings"]

T = TypeVar("T")


class SSeriesSettings(Settings):
    """Keys of an s-series cryostat in the set-up file.

    Attributes:
        sample_thermometer: Which thermometer is nearest the sample; ``user1`` is on the sample
            mount.
        reply_timeout: Longest time to an answer, s.
    """

    sample_thermometer: Literal["platform", "user1"] = "platform"
    reply_timeout: Seconds = 5.0


class SSeries(Cryostat):
    """Driver of the s-series; the set point is that of the platform."""

    interface = "http"
    settings_type = SSeriesSettings

    def __init__(
        self,
        name: str,
        link: HttpTransport,
        settings: SSeriesSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings

    def identity(self) -> Identity:
        """Check that this interface answers; it has no known path to a serial number."""
        self._word(wire.SYSTEM_STATE)
        return Identity("Montana Instruments", "s-series")

    def snapshot(self) -> dict[str, Any]:
        """Return goal, state, set point and what both thermometers say."""
        readings: dict[str, Any] = {
            "set_point_k": self.set_point_k(),
            "system_goal": self._word(wire.SYSTEM_GOAL),
            "system_state": self._word(wire.SYSTEM_STATE),
            "sample_thermometer": self._settings.sample_thermometer,
        }
        for loop in ("platform", "user1"):
            readings |= self._optional(loop)
        return readings

    def set_point_k(self) -> float:
        """Return the platform's set point, K; 0 means as cold as possible."""
        return self._get(
            wire.TARGET, lambda reply: wire.decode_number(reply, "platformTargetTemperature")
        )

    def read_temperature(self) -> float:
        """Return the temperature nearest the sample, K; NaN if the instrument calls it invalid."""
        return self.read_thermometer().temperature_k

    def read_platform_temperature(self) -> float:
        """Return the platform's temperature, K; NaN if the instrument calls it invalid."""
        return self.read_thermometer("platform").temperature_k

    def read_stability(self) -> float:
        """Return the stability number of the thermometer nearest the sample, K."""
        return self.read_thermometer().stability_k

    def read_thermometer(self, loop: str = "") -> wire.Thermometer:
        """Return everything that a thermometer tells (default: the one nearest the sample)."""
        path = wire.thermometer(loop or self._settings.sample_thermometer)
        return self._get(path, wire.decode_thermometer)

    def alarm(self) -> str:
        """Return the system's state if that is none in which it works."""
        state = self._word(wire.SYSTEM_STATE)
        return f"the system's state is {state}" if state in wire.ALARM_STATES else ""

    def _open(self) -> None:
        self._link.open()

    def _close(self) -> None:
        self._link.close()

    def _write_set_point_k(self, kelvin: float) -> None:
        self._request("PUT", wire.TARGET, wire.decode_done, json.dumps(kelvin).encode())

    def _word(self, path: str) -> str:
        return self._get(path, lambda reply: wire.decode_text(reply, path.rpartition("/")[2]))

    def _optional(self, loop: str) -> dict[str, Any]:
        try:
            found = self.read_thermometer(loop)
        except DeviceRefusedError:
            return {f"{loop}_temperature_k": None}
        numbers = {
            f"{loop}_temperature_k": found.temperature_k,
            f"{loop}_stability_k": found.stability_k,
        }
        plain: dict[str, Any] = {k: None if math.isnan(v) else v for k, v in numbers.items()}
        return plain | {f"{loop}_stable": found.stable}

    def _get(self, path: str, decode: Callable[[HttpReply], T]) -> T:
        return self._request("GET", path, decode)

    def _request(
        self, method: str, path: str, decode: Callable[[HttpReply], T], body: bytes | None = None
    ) -> T:
        reply = self._link.request(method, path, body, timeout_s=self._settings.reply_timeout)
        command = f"{method} {path}"
        try:
            return decode(reply)
        except RefusalError as refusal:
            remedy = refusal.remedy or "see the cryostat's own page for what it is doing"
            raise DeviceRefusedError(self.name, command, refusal.reply, remedy) from refusal
        except GarbledBytesError as error:
            shown = f"{reply.body[:200]!r}: {error}"
            remedy = "is this address an s-series cryostat?"
            raise GarbledReplyError(self.name, command, shown, remedy) from error
