"""RecordedLibrary: declarations go through, every call is recorded."""

import copy
import ctypes
from typing import Any

import pytest

from labctl.transport import RecordedLibrary, pointed_to

Call = tuple[str, tuple[Any, ...], Any]


def _double(value: int, output: int | None) -> int:
    if output is None:
        return 7
    ctypes.c_int.from_address(output).value = 2 * value
    return 0


class Library:
    """One foreign function, one Python function, one constant."""

    version = "1.4"

    def __init__(self) -> None:
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
        self.Double = kind(_double)

    def Fail(self) -> int:  # noqa: N802 - a vendor's spelling
        raise OSError("access violation")


@pytest.fixture
def calls() -> list[Call]:
    return []


@pytest.fixture
def library(calls: list[Call]) -> Any:
    def record(name: str, arguments: tuple[Any, ...], result: Any) -> None:
        calls.append((name, arguments, result))

    return RecordedLibrary(Library(), record)


def test_call_is_recorded_with_outputs_readable(library: Any, calls: list[Call]) -> None:
    output = ctypes.c_int()
    assert library.Double(21, ctypes.byref(output)) == 0
    assert output.value == 42
    name, arguments, code = calls[0]
    assert (name, arguments[0], code) == ("Double", 21, 0)
    assert pointed_to(arguments[1]) is output
    assert pointed_to(3) == 3


def test_functions_are_cached_and_take_new_attributes(library: Any) -> None:
    library.Double.argnames = ["value", "output"]
    assert library.Double is library.Double
    assert library.Double.argnames == ["value", "output"]
    assert library.Double.__name__ == "Double"


def test_declarations_reach_the_foreign_function(library: Any) -> None:
    library.Double.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_int)]
    library.Double.restype = ctypes.c_int
    assert library.Double.argtypes[1] is ctypes.POINTER(ctypes.c_int)
    assert library.Double.restype is ctypes.c_int
    with pytest.raises(ctypes.ArgumentError):
        library.Double("one", None)


def test_the_codes_own_value_is_recorded_before_the_clients_check(
    library: Any, calls: list[Call]
) -> None:
    def check(result: int, function: Any, arguments: tuple[Any, ...]) -> int:
        if result:
            raise RuntimeError(f"{function.__name__}{arguments} gave {result}")
        return result

    library.Double.errcheck = check
    with pytest.raises(RuntimeError, match="Double\\(1, None\\) gave 7"):
        library.Double(1, None)
    assert calls == [("Double", (1, None), 7)]


def test_an_exception_is_recorded_and_goes_on(library: Any, calls: list[Call]) -> None:
    with pytest.raises(OSError, match="violation"):
        library.Fail()
    assert isinstance(calls[0][2], OSError)


def test_other_attributes_go_through(library: Any) -> None:
    assert library.version == "1.4"
    with pytest.raises(AttributeError):
        _ = library.Missing
    library.Missing = None
    assert library.Missing is None


def test_an_empty_copy_does_not_recurse() -> None:
    bare = RecordedLibrary.__new__(RecordedLibrary)
    with pytest.raises(AttributeError):
        _ = bare.anything
    assert isinstance(copy.copy(RecordedLibrary(Library(), print)), RecordedLibrary)
