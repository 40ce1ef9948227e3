"""Stand-ins for vendors' shared libraries: objects whose attributes are real ctypes functions.

A client sets ``argtypes``, ``restype`` and ``errcheck`` on them, passes ``byref``, arrays and
buffers, and cannot tell them from functions that came out of ``ctypes.CDLL``.
"""

from labctl_sim.libraries._breakable import breakable, broken
from labctl_sim.libraries._function import VendorFunction, make_function
from labctl_sim.libraries._library import Function, VendorError, VendorLibrary
from labctl_sim.libraries._memory import (
    Memory,
    NullPointerError,
    read_bytes,
    read_structure,
    write_array,
    write_bytes,
    write_double,
    write_int,
    write_int64,
    write_pointer,
    write_structure,
    write_text,
)

__all__ = [
    "Function",
    "Memory",
    "NullPointerError",
    "VendorError",
    "VendorFunction",
    "VendorLibrary",
    "breakable",
    "broken",
    "make_function",
    "read_bytes",
    "read_structure",
    "write_array",
    "write_bytes",
    "write_double",
    "write_int",
    "write_int64",
    "write_pointer",
    "write_structure",
    "write_text",
]
