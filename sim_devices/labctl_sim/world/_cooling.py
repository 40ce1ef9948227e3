"""Thermoelectric cooling of a camera sensor."""

import math
from collections.abc import Callable


class SensorCooling:
    """First-order approach to the set point, in closed form (so that polling changes nothing).

    Locked once the sensor has been within the band for the hold time.
    """

    def __init__(
        self,
        now: Callable[[], float],
        *,
        start_c: float,
        target_c: float,
        coldest_c: float,
        time_constant_s: float,
        band_c: float,
        hold_s: float,
    ) -> None:
        """Begin at ``start_c``; ``coldest_c`` is as cold as the cooler gets."""
        self._now = now
        self._coldest_c = coldest_c
        self._tau_s = time_constant_s
        self._band_c = band_c
        self._hold_s = hold_s
        self._from_c = start_c
        self._since_s = now()
        self._in_band_s: float | None = None
        self._target_c = target_c
        self._find_entry()

    @property
    def target_c(self) -> float:
        """The set point."""
        return self._target_c

    def set_target(self, celsius: float) -> None:
        """New set point."""
        self._from_c, self._since_s = self.celsius(), self._now()
        self._target_c = celsius
        self._find_entry()

    def celsius(self) -> float:
        """Temperature of the sensor now."""
        elapsed_s = self._now() - self._since_s
        return self._end_c() + (self._from_c - self._end_c()) * math.exp(-elapsed_s / self._tau_s)

    def locked(self) -> bool:
        """Whether the sensor has been at its set point for the hold time."""
        return self._in_band_s is not None and self._now() >= self._in_band_s + self._hold_s

    def _end_c(self) -> float:
        return max(self._target_c, self._coldest_c)

    def _find_entry(self) -> None:
        """When the sensor enters the band: |T - T_set| = band has a closed solution."""
        if self._end_c() >= self._target_c + self._band_c:
            self._in_band_s = None
            return
        away_c = abs(self._from_c - self._end_c())
        room_c = self._band_c - abs(self._end_c() - self._target_c)
        wait_s = self._tau_s * math.log(away_c / room_c) if away_c > room_c > 0.0 else 0.0
        # A sensor that already is in its band and gets the same set point again stays locked.
        begun_s = self._since_s - (self._hold_s if wait_s == 0.0 else 0.0)
        self._in_band_s = begun_s + wait_s
