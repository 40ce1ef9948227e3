"""Thorlabs PM100D, PM100USB, PM101 and PM16 power meters (USBTMC), with a photodiode sensor.

Source: PM100D manual 17654-D02. On Windows the meter needs the driver for VISA; the vendor's
Power Meter Driver Switcher chooses it.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, LabctlError, RefusedError
from labctl.roles import Identity, Limits, PowerMeter, PowerTrust, Settings
from labctl.transport import Transport
from labctl.units import Nanometers, Percent, Seconds, Watts
from labctl_drivers.thorlabs._pm100d_wire import (
    Sensor,
    decode_error,
    decode_fields,
    decode_number,
    decode_reading,
    decode_sensor,
    encode,
)

__all__ = ["Pm100d", "Pm100dSettings"]

T = TypeVar("T")
_SLOWEST_SAMPLE_S = 0.003
"""Longest time that one of the averaged samples takes; only used for the deadline."""
_MOST_AVERAGES = 10_000


class Pm100dSettings(Settings):
    """Keys of a PM100D in the set-up file.

    Attributes:
        wavelength: That of the light; none: what the meter is set to.
        accuracy: Uncertainty of the sensor's calibration (one sigma; 3 % for a silicon
            photodiode near 405 nm).
        averages: Number of samples of which a reading is the mean.
        range: Highest power to be measured; none: the meter chooses its range.
        to_sample: Power on the sample over power on the sensor, as it was measured once.
        to_sample_uncertainty: Of ``to_sample``, one sigma.
        reply_timeout: Longest time to an answer beside the averaging, s.
    """

    wavelength: Nanometers | None = Field(None, gt=0)
    accuracy: Percent = Field(5.0, gt=0, le=100)
    averages: int = Field(10, ge=1, le=_MOST_AVERAGES)
    range: Watts | None = Field(None, gt=0)
    to_sample: float = Field(1.0, gt=0)
    to_sample_uncertainty: Percent = Field(0.0, ge=0, le=100)
    reply_timeout: Seconds = 2.0


class Pm100d(PowerMeter):
    """Driver of the meter; what the set-up says is pushed again after each reconnection."""

    settings_type = Pm100dSettings

    def __init__(
        self, name: str, link: Transport, settings: Pm100dSettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        trust = PowerTrust(
            0.01 * settings.accuracy, settings.to_sample, 0.01 * settings.to_sample_uncertainty
        )
        super().__init__(name, trust, limits)
        self._link, self._settings = link, settings
        self._unit: tuple[str, ...] = ()
        self._sensor: Sensor | None = None
        self._known_nm = Limits(0.0, 0.0)
        self._wavelength_nm = settings.wavelength
        self._averages, self._range_w = settings.averages, settings.range

    def identity(self) -> Identity:
        """Ask which unit it is."""
        maker, model, serial, firmware = self._ask_unit()
        return Identity(maker, model, serial, firmware)

    def snapshot(self) -> dict[str, Any]:
        """Return sensor, settings, and a power with its uncertainty (None if there is none)."""
        power_w = self._power_or_none()
        sensor = self._sensor
        return {
            "sensor": "" if sensor is None else f"{sensor.name} {sensor.serial}",
            "sensor_calibration": "" if sensor is None else sensor.calibration,
            "wavelength_nm": self.read_wavelength_nm(),
            "averages": self._averages,
            "range_w": self._ask("SENS:POW:RANG?", decode_number),
            "auto_range": self._range_w is None,
            "power_w": power_w,
            "power_error_w": None if power_w is None else self.power_error_w(power_w),
            **vars(self.trust),
        }

    def read_power(self) -> float:
        """Return the mean power on the sensor, W; waits for the averaging."""
        timeout_s = self._settings.reply_timeout + self._averages * _SLOWEST_SAMPLE_S
        return self._ask("READ?", decode_reading, timeout_s)

    def read_wavelength_nm(self) -> float:
        """Return the wavelength that the sensor is corrected for, nm."""
        return self._ask("SENS:CORR:WAV?", decode_number)

    def wavelengths_nm(self) -> Limits:
        """Return the wavelengths that the sensor knows, nm."""
        return self._known_nm

    def start_zero(self) -> None:
        """Begin to take the present reading for darkness."""
        self._order("SENS:CORR:COLL:ZERO:INIT")

    def is_zeroing(self) -> bool:
        """Ask whether zeroing goes on."""
        return self._ask("SENS:CORR:COLL:ZERO:STAT?", decode_number) != 0.0

    def set_averages(self, count: int) -> None:
        """Let each reading be the mean of so many samples.

        Raises:
            RefusedError: Not from 1 to 10 000.
            DeviceRefusedError: The meter keeps another number.
        """
        if not 1 <= count <= _MOST_AVERAGES:
            raise RefusedError(self.name, f"{count} averages", f"1 to {_MOST_AVERAGES}")
        self._order(f"SENS:AVER:COUN {count}")
        self._same("SENS:AVER:COUN", float(count))
        self._averages = count

    def set_range_w(self, power_w: float | None) -> None:
        """Choose the smallest range that holds this power, W; None: the meter chooses.

        Raises:
            RefusedError: No power.
            DeviceRefusedError: The meter has no such range.
        """
        if power_w is not None and not 0.0 < power_w < float("inf"):
            raise RefusedError(self.name, f"range {power_w:g} W", "it is above 0")
        self._order(f"SENS:POW:RANG:AUTO {int(power_w is None)}")
        if power_w is not None:
            self._order(f"SENS:POW:RANG {power_w:.6E}")
            found_w = self._ask("SENS:POW:RANG?", decode_number)
            if not found_w >= 0.999 * power_w:
                what = f"SENS:POW:RANG {power_w:.6E}"
                said = f"the range is {found_w:g} W afterwards"
                raise DeviceRefusedError(self.name, what, said, "this sensor cannot take so much")
        self._range_w = power_w

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            self._unit = self._ask_unit()
            self._prepare()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._link.close()

    def _check_unit(self) -> None:
        if (found := self._ask_unit()) != self._unit:
            what = f"another unit answers: {', '.join(found)}; was {', '.join(self._unit)}"
            raise DeviceRefusedError(self.name, "*IDN?", what, "check the cables")
        self._prepare()

    def _prepare(self) -> None:
        """Find out what the sensor is, and push the settings."""
        self._link.write(encode("*CLS"), command="*CLS")
        sensor = self._sensor = self._ask("SYST:SENS:IDN?", decode_sensor)
        if not sensor.measures_power:
            what = f"{sensor.name} is no sensor of power"
            raise DeviceRefusedError(self.name, "SYST:SENS:IDN?", what, "plug another one in")
        self._order("SENS:POW:UNIT W")
        self._order("CONF:POW")
        low_nm, high_nm = (self._ask(f"SENS:CORR:WAV? {end}", decode_number) for end in _ENDS)
        self._known_nm = Limits(low_nm, high_nm)
        if self._wavelength_nm is not None:
            self.set_wavelength_nm(self._wavelength_nm)
        self.set_averages(self._averages)
        self.set_range_w(self._range_w)

    def _write_wavelength_nm(self, wavelength_nm: float) -> None:
        if self._sensor is not None and not self._sensor.wavelength_settable:
            what = f"the wavelength of {self._sensor.name} cannot be set"
            raise RefusedError(self.name, what, "leave 'wavelength' out")
        self._order(f"SENS:CORR:WAV {wavelength_nm:g}")
        self._wavelength_nm = wavelength_nm

    def _power_or_none(self) -> float | None:
        try:
            return self.read_power()
        except DeviceRefusedError:  # over range; a snapshot says so by None
            return None

    def _same(self, command: str, wanted: float) -> None:
        found = self._ask(f"{command}?", decode_number)
        if found != wanted:
            what = f"is {found:g} afterwards"
            raise DeviceRefusedError(self.name, f"{command} {wanted:g}", what, "see its manual")

    def _order(self, command: str) -> None:
        """Send what is not answered, then ask whether it was understood."""
        self._link.write(encode(command), command=command)
        try:
            self._ask("SYST:ERR?", decode_error)
        except DeviceRefusedError as error:
            raise DeviceRefusedError(self.name, command, error.reply, error.remedy) from error

    def _ask_unit(self) -> tuple[str, ...]:
        fields = self._ask("*IDN?", decode_fields)
        if len(fields) != 4:
            what = f"{', '.join(fields)}: not maker, model, serial number and version"
            raise DeviceRefusedError(self.name, "*IDN?", what, "is this a power meter?")
        return fields

    def _ask(
        self, command: str, decode: Callable[[bytes], T | None], timeout_s: float | None = None
    ) -> T:
        return self._link.query(
            encode(command),
            decode,
            command=command,
            timeout_s=self._settings.reply_timeout if timeout_s is None else timeout_s,
        )


_ENDS = ("MIN", "MAX")
