"""The library object of the simulated camera: every ``Picam_…`` function that clients use.

It lives in the client's process, owns what the client points at, and asks the simulated camera
with plain values only.
"""

import ctypes
from collections.abc import Mapping

from labctl_sim.libraries import (
    Function,
    Memory,
    VendorLibrary,
    breakable,
    write_int,
    write_pointer,
)
from labctl_sim.princeton import _picam_structures as c
from labctl_sim.princeton._picam_face_acquisition import AcquisitionFunctions
from labctl_sim.princeton._picam_face_discovery import Discovery
from labctl_sim.princeton._picam_face_parameters import Constraints, Parameters
from labctl_sim.princeton._picam_link import POINTER, Call, Link, freeing
from labctl_sim.princeton._picam_parameters import BY_ID
from labctl_sim.princeton._picam_words import Code, EnumeratedType, word

__all__ = ["picam_library"]

_INT = ctypes.c_int
_VERSION = (5, 13, 4, 0)


@breakable
def picam_library(call: Call) -> VendorLibrary:
    """Build the library object.

    Args:
        call: Asks the simulated camera: name of a command and its arguments; answers the
            library's code and a value.
    """
    memory = Memory()
    link = Link(call)
    functions = {
        **_library_functions(link, memory),
        **Discovery(link, memory).functions(),
        **Parameters(link, memory).functions(),
        **Constraints(link, memory).functions(),
        **AcquisitionFunctions(link).functions(),
    }
    return VendorLibrary(
        functions,
        failure_code=Code.UNEXPECTED_ERROR,
        null_code=Code.UNEXPECTED_NULL_POINTER,
        memory=memory,
    )


def _library_functions(link: Link, memory: Memory) -> Mapping[str, Function]:
    def version(*outputs: int | None) -> None:
        for output, number in zip(outputs, _VERSION, strict=True):
            write_int(output, number)

    def initialized(output: int | None) -> None:
        write_int(output, link.ask("initialized"))

    def enumeration_string(kind: int, value: int, output: int | None) -> int:
        if kind not in set(EnumeratedType):
            return Code.INVALID_ENUMERATED_TYPE
        parameter = BY_ID.get(value) if kind == EnumeratedType.PARAMETER else None
        text = parameter.words if parameter else word(kind, value)
        if text is None:
            return Code.ENUMERATION_VALUE_NOT_DEFINED
        write_pointer(output, c.keep_text(memory, text))
        return Code.NONE

    return {
        "Picam_GetVersion": Function((POINTER,) * 4, version),
        "Picam_IsLibraryInitialized": Function((POINTER,), initialized),
        "Picam_InitializeLibrary": Function((), lambda: link.ask("initialize")),
        "Picam_UninitializeLibrary": Function((), lambda: link.ask("uninitialize")),
        "Picam_GetEnumerationString": Function((_INT, _INT, POINTER), enumeration_string),
        "Picam_DestroyString": freeing(memory),
    }
