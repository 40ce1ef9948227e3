"""Every error that labctl raises, sorted by who is at fault.

Local errors say that we asked for something that must not be done; nothing has been sent.
Remote errors say that an instrument did not do, or did not say, what it should have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "AnalysisError",
    "ConfigError",
    "ConnectionLostError",
    "DeadlockError",
    "DeviceError",
    "DeviceRefusedError",
    "GarbledReplyError",
    "LabctlError",
    "NoReplyError",
    "NotConnectedError",
    "Problem",
    "ProtectionError",
    "RefusedError",
    "StorageError",
    "said_by",
]


class LabctlError(Exception):
    """Base of every error that labctl raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in the user's input.

    Attributes:
        what: What is wrong, in the user's words.
        where: File and line (``recipe.yaml:12``), or the name of the field.
        hint: How to mend it.
    """

    what: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """Return ``where: what (hint)``."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.hint})" if self.hint else text


class ConfigError(LabctlError):
    """The set-up, recipe, sample or command line is wrong; carries every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Collect the problems, in the order in which they stand in the input."""
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RefusedError(LabctlError):
    """A request that is outside a limit or not possible in this state; no byte was sent."""

    def __init__(self, device: str, what: str, hint: str = "") -> None:
        """Say which device refuses what, and how to mend it."""
        self.device, self.what, self.hint = device, what, hint
        super().__init__(str(Problem(what, device, hint)))


class DeadlockError(LabctlError):
    """Virtual time cannot advance: everybody waits and nothing is going to happen."""

    def __init__(self, waiters: Sequence[str], why: str = "nothing is due in virtual time") -> None:
        """Name every waiter."""
        self.waiters = tuple(waiters)
        super().__init__(f"deadlock, {why}; waiting for: {'; '.join(self.waiters) or 'nobody'}")


class StorageError(LabctlError):
    """A file of a run cannot be written or read."""


class AnalysisError(LabctlError):
    """Data do not allow the wanted quantity to be determined."""


class ProtectionError(LabctlError):
    """A guard has tripped and stays latched until a person re-arms it."""

    def __init__(self, device: str, what: str, remedy: str) -> None:
        """Say what was protected, against what, and how to re-arm."""
        self.device, self.what, self.remedy = device, what, remedy
        super().__init__(str(Problem(what, device, remedy)))


class DeviceError(LabctlError):
    """An instrument failed; says the device, the command, its reply and the remedy."""

    def __init__(self, device: str, command: str, reply: str, remedy: str = "") -> None:
        """Keep what was asked and what came back, for the flight recorder and the user."""
        self.device, self.command, self.reply, self.remedy = device, command, reply, remedy
        super().__init__(str(Problem(f"{command!r}: {reply}", device, remedy)))


class NoReplyError(DeviceError):
    """No complete answer before the deadline, or the connection is gone."""


class ConnectionLostError(NoReplyError):
    """The connection is gone, or cannot be made; it may come back."""


class GarbledReplyError(DeviceError):
    """An answer that is not of the protocol's form, or not a possible value."""


class DeviceRefusedError(DeviceError):
    """The instrument understood and refused, or did not do what it said ok to."""


def said_by(device: str, error: BaseException) -> str:
    """Return what is wrong with a device, its name in front once."""
    text = str(error)
    return text if text.startswith(f"{device}: ") else f"{device}: {text}"


class NotConnectedError(LabctlError):
    """Some instruments could not be connected; reports all of them at once."""

    def __init__(self, failures: Mapping[str, BaseException]) -> None:
        """Collect the failure of each device by its name in the set-up."""
        self.failures = dict(failures)
        lines = [f"  {said_by(name, error)}" for name, error in self.failures.items()]
        super().__init__("not connected:\n" + "\n".join(lines))
