"""Functions of a stand-in library, called as clients call those of a shared library."""

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from labctl_sim.libraries import (
    Function,
    Memory,
    NullPointerError,
    VendorError,
    VendorLibrary,
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

POINTER, INT = ctypes.c_void_p, ctypes.c_int


class Pair(ctypes.Structure):
    _fields_ = [("first", ctypes.c_int), ("second", ctypes.c_double)]


def build(**bodies: tuple[tuple[Any, ...], Callable[..., Any]]) -> Any:
    functions = {name: Function(kinds, body) for name, (kinds, body) in bodies.items()}
    return VendorLibrary(functions, failure_code=-99, null_code=-3)


def _one(output: int | None) -> None:
    write_int(output, 1)


def _half(output: int | None) -> None:
    write_double(output, 0.5)


def _add(first: int, second: int, output: int | None) -> None:
    write_int(output, first + second)


def _twice(number: int) -> int:
    return 2 * number


def _fill(output: int | None, count: int) -> None:
    write_array(output, ctypes.c_uint32, range(count))


def test_calls_without_declarations_as_vendor_scripts_do() -> None:
    library = build(XX_Fill=((POINTER, INT), _fill), XX_Add=((INT, INT, POINTER), _add))
    words, total = (ctypes.c_uint32 * 3)(), ctypes.c_uint32()
    assert library.XX_Fill(ctypes.byref(words), ctypes.c_int(3)) == 0
    assert list(words) == [0, 1, 2]
    assert library.XX_Fill(words, ctypes.c_uint(2)) == 0
    assert library.XX_Add(ctypes.c_int(20), 22, ctypes.byref(total)) == 0
    assert total.value == 42


def test_calls_with_declarations_as_wrappers_do() -> None:
    library = build(XX_Get=((POINTER,), _half))
    library.XX_Get.argtypes = [ctypes.POINTER(ctypes.c_double)]
    value = ctypes.c_double()
    assert library.XX_Get(value) == 0, "a declared pointer takes the object itself"
    assert value.value == 0.5
    with pytest.raises(ctypes.ArgumentError):
        library.XX_Get(ctypes.c_int())


def test_errcheck_and_new_attributes() -> None:
    def refuse() -> None:
        raise VendorError(-17)

    def check(result: int, function: Any, _arguments: Any) -> int:
        raise RuntimeError(f"{function.__name__}: {result}")

    library = build(XX_Refuse=((), refuse))
    assert library.XX_Refuse() == -17
    assert library.XX_Refuse is library.XX_Refuse
    library.XX_Refuse.argnames = []
    library.XX_Refuse.errcheck = check
    with pytest.raises(RuntimeError, match="XX_Refuse: -17"):
        library.XX_Refuse()
    assert library.errors == []


def test_an_unexpected_exception_is_kept_and_answered_with_a_fixed_code() -> None:
    library = build(XX_Fail=((), lambda: 1 // 0))
    assert library.XX_Fail() == -99
    assert [type(error) for error in library.errors] == [ZeroDivisionError]


def test_null_and_missing() -> None:
    library = build(XX_Get=((POINTER,), _one))
    assert library.XX_Get(None) == -3
    assert library.errors == []
    with pytest.raises(AttributeError):
        _ = library.XX_Missing


def test_functions_outlive_their_library() -> None:
    function = build(XX_Twice=((INT,), _twice)).XX_Twice
    assert function(21) == 42


def test_memory_counts() -> None:
    memory = Memory()
    address = memory.keep(ctypes.create_string_buffer(b"word"))
    assert ctypes.string_at(address) == b"word"
    assert (memory.allocated, memory.outstanding) == (1, 1)
    assert memory.free(None)
    assert memory.free(address)
    assert not memory.free(address)
    assert (memory.freed, memory.unknown, memory.outstanding) == (1, 1, 0)


def test_one_address_is_not_kept_twice() -> None:
    memory, block = Memory(), ctypes.c_int()
    memory.keep(block)
    with pytest.raises(ValueError, match="in use"):
        memory.keep(block)


def test_writing_and_reading() -> None:
    buffer = ctypes.create_string_buffer(b"\xff" * 16, 16)
    address = ctypes.addressof(buffer)
    write_text(address, "1234567890", 8)
    assert buffer.raw == b"1234567\0" + b"\xff" * 8
    write_int(address, -1)
    write_int64(address + 8, 2**40)
    assert buffer.raw[:4] == b"\xff" * 4
    assert read_bytes(address + 8, 8) == (2**40).to_bytes(8, "little")
    write_pointer(address, None)
    assert buffer.raw[: ctypes.sizeof(POINTER)] == bytes(ctypes.sizeof(POINTER))
    write_bytes(address, b"ab")
    assert buffer.raw[:2] == b"ab"


def test_structures_are_copied() -> None:
    pair = Pair(3, 0.5)
    memory = ctypes.create_string_buffer(ctypes.sizeof(Pair))
    write_structure(ctypes.addressof(memory), pair)
    copy = read_structure(ctypes.addressof(memory), Pair)
    write_structure(ctypes.addressof(memory), Pair(0, 0.0))
    assert (copy.first, copy.second) == (3, 0.5)


@pytest.mark.parametrize("write", [write_int, write_int64, write_double, write_pointer])
def test_null_is_an_error_of_its_own(write: Callable[[None, int], None]) -> None:
    with pytest.raises(NullPointerError):
        write(None, 1)
    with pytest.raises(NullPointerError):
        read_bytes(None, 1)
