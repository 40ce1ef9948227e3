"""What all single-photon detectors share: a description of the channel, and nothing to send."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from labctl.errors import DeviceError
from labctl.roles import (
    DetectorFacts,
    DetectorWiring,
    Identity,
    Limits,
    PhotonCounter,
    Settings,
)
from labctl.transport import LibraryLink
from labctl.units import Hertz, Picoseconds, Quantity

__all__ = ["DarkRate", "DeadTime", "Detector", "DetectorSettings", "Jitter", "Probability", "Rate"]

DeadTime = Annotated[float, Quantity("ns"), Field(gt=0)]
Jitter = Annotated[Picoseconds, Field(gt=0)]
DarkRate = Annotated[Hertz, Field(ge=0)]
Rate = Annotated[Hertz, Field(gt=0)]
Probability = Annotated[float, Field(ge=0, lt=1)]


class DetectorSettings(Settings):
    """Keys of a detector in the set-up file; a driver gives those of the data sheet as defaults.

    Attributes:
        tagger: Time tagger that its pulses go to.
        channel: Input there, from 1; 0 is the sync input of a PicoHarp 300.
        counter: Counter card that tells its rate; without it the tagger does.
        counter_channel: Counter of the card, from 0.
        shutter: Shutter in front of it.
        light: What ends the light, if not the instrument called ``shutter``.
        serial: Serial number of the unit.
        dead_time: Time after a pulse in which it gives no other one, ns.
        jitter: Timing jitter, full width at half maximum, ps.
        dark_rate: Pulses without light, Hz.
        afterpulsing: Chance that a pulse is followed by one without a photon.
        max_rate: Rate above which the guard closes the light, Hz.
        warn_rate: Rate above which the user is warned, Hz.
    """

    tagger: str = ""
    channel: Annotated[int, Field(ge=0)] = 1
    counter: str = ""
    counter_channel: Annotated[int, Field(ge=0)] = 0
    shutter: str = ""
    light: Annotated[str, Field(min_length=1)] = "shutter"
    serial: str = ""
    dead_time: DeadTime
    jitter: Jitter
    dark_rate: DarkRate
    afterpulsing: Probability
    max_rate: Rate
    warn_rate: Rate

    @model_validator(mode="after")
    def _consistent(self) -> "DetectorSettings":
        if not (self.tagger or self.counter):
            raise ValueError("says nobody who counts its pulses; write 'tagger' or 'counter'")
        if self.warn_rate > self.max_rate:
            raise ValueError("warn_rate is above max_rate; the guard would act without a warning")
        return self


class Detector(PhotonCounter):
    """Base of the detector drivers: power in, pulses out; the station says who counts them."""

    interface = "hand"
    maker: ClassVar[str]
    model: ClassVar[str]

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: DetectorSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Take the test sheet from the settings; ``link`` and ``limits`` have nothing to say."""
        facts = DetectorFacts(
            settings.dead_time, settings.jitter, settings.dark_rate, settings.afterpulsing
        )
        wiring = DetectorWiring(
            settings.tagger,
            settings.channel,
            settings.counter,
            settings.counter_channel,
            settings.shutter,
            settings.light,
        )
        super().__init__(
            name,
            facts,
            wiring,
            max_rate_hz=settings.max_rate,
            warn_rate_hz=settings.warn_rate,
        )
        self._serial = settings.serial

    def identity(self) -> Identity:
        """Return what the set-up file says: the module itself cannot be asked."""
        return Identity(self.maker, self.model, self._serial)

    def snapshot(self) -> dict[str, Any]:
        """Return facts, wiring, the guard, and whether the shutter in front is closed."""
        found: dict[str, Any] = {"model": self.model, "serial": self._serial}
        found |= self.guard_snapshot()
        if self.has_shutter:
            try:
                found["shut"] = self.is_shut()
            except DeviceError as error:
                found["shut"] = f"cannot be read: {error}"
        return found

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None
