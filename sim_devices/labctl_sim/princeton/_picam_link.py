"""The way from the library's functions to the simulated camera, with plain values only."""

import ctypes
from collections.abc import Callable
from typing import Any

from labctl_sim.libraries import Function, Memory, VendorError, write_int
from labctl_sim.princeton._picam_words import Code

__all__ = ["POINTER", "Call", "Link", "freeing"]

Call = Callable[[str, list[Any]], Any]

POINTER = ctypes.c_void_p


class Link:
    """Commands to the simulated camera; a code other than success is raised."""

    def __init__(self, call: Call) -> None:
        """Ask through ``call``: name of a command and its arguments; answers code and value."""
        self._call = call

    def both(self, command: str, *arguments: Any) -> tuple[int, Any]:
        """Return code and value."""
        code, value = self._call(command, list(arguments))
        return code, value

    def ask(self, command: str, *arguments: Any) -> Any:
        """Return the value.

        Raises:
            VendorError: The camera's library answers with an error code.
        """
        code, value = self.both(command, *arguments)
        if code:
            raise VendorError(code)
        return value

    def of_handle(self, command: str) -> Function:
        """Declare a function whose only argument is a handle."""

        def body(handle: int | None) -> None:
            self.ask(command, handle)

        return Function((POINTER,), body)

    def integer_of_handle(self, command: str) -> Function:
        """Declare a function that gives an integer for a handle."""

        def body(handle: int | None, output: int | None) -> None:
            write_int(output, self.ask(command, handle))

        return Function((POINTER, POINTER), body)


def freeing(memory: Memory) -> Function:
    """Declare a destroy function; NULL is accepted, an unknown address is refused."""

    def destroy(address: int | None) -> int:
        return Code.NONE if memory.free(address) else Code.INVALID_POINTER

    return Function((POINTER,), destroy)
