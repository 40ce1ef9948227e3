"""The library object: a vendor's function names, guarded bodies, errors kept for the tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labctl_sim.libraries._function import VendorFunction, make_function
from labctl_sim.libraries._memory import Memory, NullPointerError

__all__ = ["Function", "VendorError", "VendorLibrary"]


class VendorError(Exception):
    """The library answers with this code instead of doing what was asked."""

    def __init__(self, code: int) -> None:
        """Keep the vendor's code."""
        self.code = code
        super().__init__(f"code {code}")


@dataclass(frozen=True)
class Function:
    """Declaration of one function.

    Attributes:
        arguments: ctypes types; every pointer is ``c_void_p``.
        body: Gets plain ints, floats and addresses; returns the vendor's code, or None for success,
            or raises ``VendorError``.
    """

    arguments: Sequence[type[Any]]
    body: Callable[..., int | None]


class VendorLibrary:
    """Object that stands where a client expects a loaded shared library.

    Functions that were not declared do not exist (``AttributeError``), as in a real library.

    Attributes:
        errors: Unexpected exceptions inside bodies; a client only sees ``failure_code``.
        memory: What was handed to the client and not yet given back.
    """

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        failure_code: int,
        null_code: int,
        memory: Memory | None = None,
    ) -> None:
        """Declare the functions.

        Args:
            functions: Declarations by the vendor's names.
            failure_code: What the client gets when a body fails unexpectedly.
            null_code: What the client gets for a NULL pointer that must not be NULL.
            memory: Ledger that the bodies use.
        """
        self.errors: list[BaseException] = []
        self.memory = memory or Memory()
        self._failure_code, self._null_code = failure_code, null_code
        for name, function in functions.items():
            setattr(self, name, self._guarded(name, function))

    def _guarded(self, name: str, function: Function) -> VendorFunction:
        def body(*arguments: Any) -> int:
            try:
                return function.body(*arguments) or 0
            except VendorError as refusal:
                return refusal.code
            except NullPointerError:
                return self._null_code
            # Last resort: ctypes prints an escaping exception and returns an arbitrary number.
            except BaseException as error:
                self.errors.append(error)
                return self._failure_code

        return make_function(name, function.arguments, body)
