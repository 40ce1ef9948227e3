"""Montana Instruments Cryostation with the Windows control computer (TCP port 7773).

"Enable External Control" must be switched on by hand on that computer after each start of its
program; without it nobody listens at the port.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Cryostat, Identity, Limits, Settings
from labctl.transport import Transport
from labctl.units import Seconds
from labctl_drivers.montana._cryostation_wire import (
    Query,
    Reading,
    SetPoint,
    decode_alarm,
    decode_ok,
    decode_reading,
    encode,
)

__all__ = ["Cryostation", "CryostationSettings"]

_PA_PER_MTORR = 0.133322368
_LARGEST_K, _LARGEST_MTORR, _LARGEST_W = 1000.0, 1e7, 100.0
_THERMOMETERS = {
    "sample": (Query.SAMPLE_TEMPERATURE, Query.SAMPLE_STABILITY),
    "platform": (Query.PLATFORM_TEMPERATURE, Query.PLATFORM_STABILITY),
    "user": (Query.USER_TEMPERATURE, Query.USER_STABILITY),
}
_SNAPSHOT = {
    "platform_temperature_k": (Query.PLATFORM_TEMPERATURE, 1.0, _LARGEST_K),
    "sample_temperature_k": (Query.SAMPLE_TEMPERATURE, 1.0, _LARGEST_K),
    "user_temperature_k": (Query.USER_TEMPERATURE, 1.0, _LARGEST_K),
    "stage_1_temperature_k": (Query.STAGE_1_TEMPERATURE, 1.0, _LARGEST_K),
    "stage_2_temperature_k": (Query.STAGE_2_TEMPERATURE, 1.0, _LARGEST_K),
    "platform_stability_k": (Query.PLATFORM_STABILITY, 1.0, _LARGEST_K),
    "set_point_k": (Query.SET_POINT, 1.0, _LARGEST_K),
    "chamber_pressure_pa": (Query.CHAMBER_PRESSURE, _PA_PER_MTORR, _LARGEST_MTORR),
    "platform_heater_w": (Query.PLATFORM_HEATER_POWER, 1.0, _LARGEST_W),
}


class CryostationSettings(Settings):
    """Keys of a Cryostation in the set-up file.

    Attributes:
        sample_thermometer: Which thermometer is nearest the sample.
        decimal: Decimal sign of the control computer; ``auto`` learns it from its answers.
        reply_timeout: Longest time to an answer, s.
    """

    sample_thermometer: Literal["sample", "platform", "user"] = "sample"
    decimal: Literal["auto", "point", "comma"] = "auto"
    reply_timeout: Seconds = 5.0


class Cryostation(Cryostat):
    """Driver of the legacy Cryostation."""

    settings_type = CryostationSettings

    def __init__(
        self,
        name: str,
        link: Transport,
        settings: CryostationSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._decimal_sign = "," if settings.decimal == "comma" else "."

    def identity(self) -> Identity:
        """Return what can be known: the protocol has no question for model or serial number."""
        self.set_point_k()
        return Identity("Montana Instruments", "Cryostation")

    def snapshot(self) -> dict[str, Any]:
        """Return every reading; None where there is no sensor or no such question."""
        readings: dict[str, Any] = {
            key: self._optional(query, factor, largest)
            for key, (query, factor, largest) in _SNAPSHOT.items()
        }
        readings["sample_thermometer"] = self._settings.sample_thermometer
        return readings | {"alarm": self.alarm()}

    def set_point_k(self) -> float:
        """Return the set point that the instrument holds, K."""
        reading = self._read(Query.SET_POINT, _LARGEST_K)
        if self._settings.decimal == "auto" and reading.decimal_sign:
            self._decimal_sign = reading.decimal_sign
        return reading.value

    def read_temperature(self) -> float:
        """Return the temperature nearest the sample, K; NaN without a valid reading."""
        return self._read(self._thermometer()[0], _LARGEST_K).value

    def read_platform_temperature(self) -> float:
        """Return the platform's temperature, K; NaN without a valid reading."""
        return self._read(Query.PLATFORM_TEMPERATURE, _LARGEST_K).value

    def read_stability(self) -> float:
        """Return the stability number of the thermometer nearest the sample, K."""
        return self._read(self._thermometer()[1], _LARGEST_K).value

    def alarm(self) -> str:
        """Return that there is an error; the protocol does not tell which."""
        there_is = self._link.query(
            encode(Query.ALARM),
            decode_alarm,
            command=Query.ALARM,
            timeout_s=self._settings.reply_timeout,
        )
        return "the cryostat reports an error; its own computer shows which" if there_is else ""

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            self._greet()
            self._require_thermometer()
        self._link.after_reconnect = self._greet

    def _close(self) -> None:
        self._link.close()

    def _greet(self) -> None:
        # Learns the decimal sign before the first order is sent.
        self.set_point_k()

    def _write_set_point_k(self, kelvin: float) -> None:
        order = SetPoint(kelvin, self._decimal_sign)
        self._link.query(
            encode(order),
            decode_ok,
            command=str(order),
            timeout_s=self._settings.reply_timeout,
        )

    def _thermometer(self) -> tuple[Query, Query]:
        return _THERMOMETERS[self._settings.sample_thermometer]

    def _require_thermometer(self) -> None:
        if math.isnan(self.read_temperature()):
            raise DeviceRefusedError(
                self.name,
                str(self._thermometer()[0]),
                f"no {self._settings.sample_thermometer} thermometer is fitted",
                "choose another one by 'sample_thermometer' in the set-up",
            )

    def _read(self, query: Query, largest: float) -> Reading:
        return self._link.query(
            encode(query),
            lambda data: decode_reading(data, largest=largest),
            command=query,
            timeout_s=self._settings.reply_timeout,
        )

    def _optional(self, query: Query, factor: float, largest: float) -> float | None:
        with suppress(DeviceRefusedError):
            value = factor * self._read(query, largest).value
            return None if math.isnan(value) else value
        return None
