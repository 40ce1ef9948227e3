"""Error codes, warnings and their texts; the same numbers in all four libraries."""

from enum import IntEnum, IntFlag

__all__ = ["Code", "Warn", "error_text", "warning_text"]


class Code(IntEnum):
    """Error codes of the vendor's headers that the simulated modules use."""

    NONE = 0
    DEVICE_OPEN_FAIL = -1
    DEVICE_BUSY = -2
    DEVICE_CLOSE_FAIL = -6
    DEVICE_NOT_OPEN = -10
    DEVICE_LOCKED = -11
    INSTANCE_RUNNING = -16
    INVALID_ARGUMENT = -17
    INVALID_MODE = -18
    INVALID_OPTION = -19
    INVALID_MEMORY = -20
    INVALID_RDATA = -21
    NOT_INITIALIZED = -22
    NOT_CALIBRATED = -23
    STATUS_FAIL = -29
    USB_VCMD_FAIL = -36
    USB_BULKRD_FAIL = -37
    CALIB_FAIL = -46


class Warn(IntFlag):
    """Bits of GetWarnings."""

    SYNC_RATE_ZERO = 0x1
    SYNC_RATE_TOO_LOW = 0x2
    SYNC_RATE_TOO_HIGH = 0x4
    INPUT_RATE_ZERO = 0x10
    INPUT_RATE_TOO_HIGH = 0x40
    INPUT_RATE_RATIO = 0x100
    DIVIDER_GREATER_ONE = 0x200
    TIME_SPAN_TOO_SMALL = 0x400
    OFFSET_UNNECESSARY = 0x800
    DIVIDER_TOO_SMALL = 0x1000
    COUNTS_DROPPED = 0x2000


_TEXTS = {
    Warn.SYNC_RATE_ZERO: "No pulses at the sync input.",
    Warn.SYNC_RATE_TOO_LOW: "The sync rate is too low to be measured well.",
    Warn.SYNC_RATE_TOO_HIGH: "The sync rate is too high.",
    Warn.INPUT_RATE_ZERO: "No counts at any input.",
    Warn.INPUT_RATE_TOO_HIGH: "The count rate at the inputs is too high.",
    Warn.INPUT_RATE_RATIO: "An input rate is above 5 % of the sync rate: pile-up.",
    Warn.DIVIDER_GREATER_ONE: "The sync divider is above 1 without need.",
    Warn.TIME_SPAN_TOO_SMALL: "The sync period is longer than the time span covered.",
    Warn.OFFSET_UNNECESSARY: "An offset is set that is not needed.",
    Warn.DIVIDER_TOO_SMALL: "The sync divider is too small for this sync rate.",
    Warn.COUNTS_DROPPED: "Counts were dropped at the front end.",
}


def error_text(code: int) -> str:
    """Name of an error code as the library writes it."""
    known = {int(one): one.name for one in Code}
    return f"ERROR_{known[code]}" if code in known else f"ERROR_{code}"


def warning_text(warnings: int) -> str:
    """One line for each warning, at most 16384 characters."""
    return "".join(f"{text}\n" for bit, text in _TEXTS.items() if warnings & bit)
