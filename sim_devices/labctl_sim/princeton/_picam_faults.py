"""Faults that tests inject into a simulated PICam camera."""

from collections.abc import Sequence
from dataclasses import dataclass

from labctl_sim.princeton._picam_parameters import named

__all__ = ["CommitRefusal", "FaultSwitches", "Faults"]

_STATUS = {"unlocked": 1, "faulted": 3}
_WAYS = ("list", "code28")


@dataclass
class CommitRefusal:
    """How the library refuses to commit.

    Attributes:
        way: "list" (success code, list of parameters) or "code28" (error code and list).
        parameters: Identifiers in the list.
        skip: So many commits still succeed.
        times: So many commits fail then (None: all).
    """

    way: str
    parameters: list[int]
    skip: int
    times: int | None

    def strikes(self) -> bool:
        """Whether this commit fails; counts it."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class Crop:
    """The camera takes fewer columns than it was told.

    Attributes:
        columns: So many.
        skip: So many commits still go well.
    """

    columns: int
    skip: int

    def strikes(self) -> bool:
        """Whether it happens at this commit; counts it."""
        self.skip -= 1
        return self.skip < 0


@dataclass
class Faults:
    """Faults in force.

    Attributes:
        refusal: Commits fail.
        drop: So many frames get lost on the way to the computer.
        disconnected: The cable is out.
        saturated: Every pixel is at full scale.
        sensor_status: What the thermometer says instead of the truth.
        frames_stopped: No further frame arrives; the acquisition goes on.
        elsewhere: Another program holds the camera.
        crop: The region of interest changes by itself.
    """

    refusal: CommitRefusal | None = None
    drop: int = 0
    disconnected: bool = False
    saturated: bool = False
    sensor_status: int | None = None
    frames_stopped: bool = False
    elsewhere: bool = False
    crop: Crop | None = None


class FaultSwitches:
    """What a person can do to the camera from outside; one method for each kind of fault.

    Attributes:
        faults: Faults in force.
    """

    def __init__(self) -> None:
        """Start healthy."""
        self.faults = Faults()

    def fault_refuse_commit(
        self,
        way: str = "list",
        parameters: Sequence[str] = ("ADC Speed",),
        skip: int = 0,
        times: int | None = None,
    ) -> None:
        """Let commits fail, whatever is set (pyLabLib#119).

        Args:
            way: "list": the library says success and lists parameters; "code28": it says
                InvalidParameterValues and lists them, too.
            parameters: The listed parameters in the library's words; may be empty.
            skip: So many commits still succeed.
            times: So many commits fail then; None: all.
        """
        if way not in _WAYS:
            raise ValueError(f"way of refusal is one of {', '.join(_WAYS)}, not {way!r}")
        identifiers = [named(words).id for words in parameters]
        self.faults.refusal = CommitRefusal(way, identifiers, skip, times)

    def fault_drop_frames(self, count: int = 1) -> None:
        """Lose the next frames on the way to the computer."""
        self.faults.drop += count

    def fault_lose_connection(self) -> None:
        """Pull the cable: a running acquisition ends, every call fails."""
        self.faults.disconnected = True

    def fault_saturate(self) -> None:
        """Let every pixel be at full scale."""
        self.faults.saturated = True

    def fault_unlock_sensor(self, status: str = "unlocked") -> None:
        """Let the sensor temperature be reported as "unlocked" or "faulted"."""
        if status not in _STATUS:
            raise ValueError(f"sensor status is one of {', '.join(_STATUS)}, not {status!r}")
        self.faults.sensor_status = _STATUS[status]

    def fault_stop_frames(self) -> None:
        """Let no further frame arrive, while the acquisition goes on."""
        self.faults.frames_stopped = True

    def fault_open_elsewhere(self) -> None:
        """Let another program hold the camera."""
        self.faults.elsewhere = True

    def fault_crop(self, columns: int = 100, skip: int = 0) -> None:
        """Let the region of interest lose columns once, after so many commits that go well."""
        self.faults.crop = Crop(columns, skip)

    def clear_faults(self) -> None:
        """End every fault."""
        vars(self.faults).update(vars(Faults()))
