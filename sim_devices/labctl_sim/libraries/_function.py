"""One function of a vendor library, callable by address as if it came out of a shared library."""

import ctypes
from _ctypes import FUNCFLAG_CDECL, CFuncPtr
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["VendorFunction", "make_function"]


class VendorFunction(CFuncPtr):
    """A foreign function without a prototype, like the attributes of a ``CDLL``.

    A bare callback object would refuse what a shared library accepts (``byref`` of an array, a
    signed integer for an unsigned one); this one converts arguments as ctypes does by default,
    until the client declares ``argtypes``.
    """

    _flags_ = FUNCFLAG_CDECL
    _restype_ = ctypes.c_int
    callback: object
    """Keeps the machine code behind the address alive."""


def make_function(
    name: str, arguments: Sequence[type[Any]], body: Callable[..., int]
) -> VendorFunction:
    """Wrap a Python body as a foreign function that returns a C int.

    Args:
        name: Name under which the vendor exports the function.
        arguments: ctypes types of the arguments; every pointer must be ``c_void_p``, so that the
            body receives the address (int, or None for NULL) whatever kind of pointer was passed.
        body: Called with plain Python values; must not raise, because ctypes would then return an
            arbitrary number to the client.

    Returns:
        The function; always hand out this same object, clients decorate it and fetch it again.
    """
    callback = ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(body)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    if address is None:
        raise ValueError(f"{name} has no address")
    function = VendorFunction(address)
    function.__name__ = name
    function.callback = callback
    return function
