"""Faults that tests inject into a simulated module."""

from dataclasses import dataclass

__all__ = ["FaultSwitches", "Faults"]

_USB_VCMD_FAIL = -36


@dataclass
class Faults:
    """Faults in force.

    Attributes:
        unplugged: The cable is out.
        refusals: So many calls fail with ``refusal_code``.
        skip: So many calls pass first.
        sync_lost: No sync pulse arrives.
        extra_light_hz: Stray light on every detector.
        rate_hz: What the rate meter says whatever is true.
        dropped: The front end drops counts.
        fifo_stuck: Nothing is read from the buffer, as if the computer were too slow.
        reference_lost: The external clock is gone.
    """

    unplugged: bool = False
    refusals: int = 0
    refusal_code: int = _USB_VCMD_FAIL
    skip: int = 0
    sync_lost: bool = False
    extra_light_hz: float = 0.0
    rate_hz: float | None = None
    dropped: bool = False
    fifo_stuck: bool = False
    reference_lost: bool = False

    def strikes(self) -> bool:
        """Whether this call fails by chance of the bus; counts it."""
        if self.skip > 0:
            self.skip -= 1
            return False
        self.refusals -= 1
        return self.refusals >= 0


class FaultSwitches:
    """What can happen to a module; one method for each kind of fault.

    Attributes:
        faults: Faults in force.
    """

    def __init__(self) -> None:
        """Start healthy."""
        self.faults = Faults()

    def fault_unplug(self) -> None:
        """Pull the USB cable: every call fails."""
        self.faults.unplugged = True

    def fault_usb_error(self, times: int = 1, code: int = _USB_VCMD_FAIL, skip: int = 0) -> None:
        """Let the next calls fail with -36 or -37, as the PicoHarp 300 does at random."""
        self.faults.refusals, self.faults.refusal_code, self.faults.skip = times, code, skip

    def fault_lose_sync(self) -> None:
        """Let no further sync pulse arrive."""
        self.faults.sync_lost = True

    def fault_over_light(self, rate_hz: float = 2e7) -> None:
        """Let that many events per second fall on every detector."""
        self.faults.extra_light_hz = rate_hz

    def fault_fifo_overrun(self) -> None:
        """Let the buffer run full at once, as if the computer had been too slow."""
        self.faults.fifo_stuck = True

    def fault_lie(self, rate_hz: float = 0.0) -> None:
        """Let the rate meters say this whatever is true."""
        self.faults.rate_hz = rate_hz

    def fault_drop_counts(self) -> None:
        """Let the front end say that it dropped counts."""
        self.faults.dropped = True

    def fault_lose_reference(self) -> None:
        """Let the external clock fail."""
        self.faults.reference_lost = True

    def clear_faults(self) -> None:
        """End every fault."""
        vars(self.faults).update(vars(Faults()))
