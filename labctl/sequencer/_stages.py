"""Stages that stick or slip: brought back to a known place, and tried again there.

What was measured while a stage moved by itself is worth nothing and is never stored. What is
measured once the stage is back says so.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from labctl.errors import (
    ConnectionLostError,
    DeviceRefusedError,
    GarbledReplyError,
    NoReplyError,
)
from labctl.roles import Positioner, Settable
from labctl.sequencer._control import Repeated
from labctl.storage import Quality

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["Stages"]

_TRIES = 3


class Stages:
    """Watches over the stages of a session; gives up when one fails again and again.

    Attributes:
        doubt: Quality bits of the point that is measured now.
    """

    def __init__(self, session: "Session") -> None:
        """Nothing has slipped yet."""
        self._session = session
        self._slips = 0
        self.doubt = 0

    def stand(self) -> dict[str, float]:
        """Return where axes without read-out are believed to stand, um, by ``stage.axis``."""
        if not self._all:
            return {}
        places = {f"{s.name}.{axis}": s.reckoned_um(axis) for s in self._all for axis in s.axes()}
        return {name: um for name, um in places.items() if um is not None}

    def believe(self, places_um: Mapping[str, float]) -> None:
        """Let axes without read-out stand where another process has left them, as it knew, um."""
        for name in self.stand():
            stage, _, axis = name.partition(".")
            if name in places_um:
                self._session.station.get(stage, Positioner).define_position(axis, places_um[name])

    def begin_point(self) -> None:
        """Count anew."""
        self._slips = self.doubt = 0

    def check(self) -> None:
        """Look, before a point is stored, whether stages with read-out stand where they were put.

        Raises:
            Repeated: One did not and is back now: measure again.
            DeviceRefusedError: It has slipped in every attempt.
        """
        for stage in self._all:
            for axis in stage.axes():
                try:
                    stage.check_held(axis)
                except DeviceRefusedError as error:
                    self._slips += 1
                    if self._slips >= _TRIES:
                        raise
                    self._bring_back(stage.settable(axis), error)
                    raise Repeated("a stage had moved by itself") from error

    def arrive(self, settable: Settable, value: float) -> float:
        """Wait for the end of a move; one that failed is recovered from and tried once more."""
        try:
            self._session.wait_for(settable)
            return settable.confirm(value)
        except DeviceRefusedError as error:
            self._bring_back(settable, error)
        except ConnectionLostError:
            raise
        except (NoReplyError, GarbledReplyError) as error:
            self._session.links.ask_again(error)
            # It may have done what it did not answer.
            with suppress(DeviceRefusedError):
                return settable.confirm(value)
        settable.start(value)
        self._session.wait_for(settable)
        return settable.confirm(value)

    def doubt_reckoned(self, settable: Settable) -> None:
        """Say of an axis that a recipe or a script has moved that nothing has seen it arrive.

        What comes then is not beyond doubt, until a measurement that knows better (a visit, a map,
        ``recenter``) moves the axis.
        """
        device, _, axis = settable.name.partition(".")
        stage = self._session.station[device]
        if not isinstance(stage, Positioner) or axis not in stage.axes():
            return
        if stage.has_readout(axis):
            return
        self._session.doubt(settable.name, Quality.POSITION_OFF)
        text = (
            f"{axis} has no sensor: its place is counted in steps, nobody notices if it slips or "
            "stands at its end; points at such places are flagged (go to dots, or take a map, "
            "which look at the picture of the sample)"
        )
        self._session.warn_once(device, text)

    def _bring_back(self, settable: Settable, error: DeviceRefusedError) -> None:
        if settable.recover is None:
            raise error
        place = settable.recover()
        text = f"{error}; goes back to {place:g} {settable.spec.unit} and tries again"
        session = self._session
        session.book.message("warning", error.device, text)
        if session.measuring:
            self.doubt |= Quality.POSITION_OFF
        else:
            session.doubt(settable.name, Quality.POSITION_OFF)
        session.wait_for(settable)

    @cached_property
    def _all(self) -> list[Positioner]:
        station = self._session.station
        return [found for name in station if isinstance(found := station[name], Positioner)]
