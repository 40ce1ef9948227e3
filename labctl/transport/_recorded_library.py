"""Recording of the calls into a vendor's shared library."""

from collections.abc import Callable
from typing import Any

__all__ = ["Entered", "Record", "RecordedFunction", "RecordedLibrary", "pointed_to"]

Record = Callable[[str, tuple[Any, ...], Any], None]
Entered = Callable[[str], None]


def pointed_to(argument: object) -> Any:
    """Return the ctypes object behind ``byref(object)``; other arguments come back unchanged."""
    return getattr(argument, "_obj", argument)


class RecordedFunction:
    """Stands for one function of the library: declarations go through, calls are recorded.

    Attributes:
        errcheck: Check of the client, as ctypes has it: called with the result, this function and
            the arguments, gives what the call returns. It runs after the recording, so that a
            call which the client takes for an error is recorded with the library's own code.
    """

    def __init__(
        self, name: str, function: Any, record: Record, entered: Entered | None = None
    ) -> None:
        """Stand for ``function``."""
        self.__name__ = name
        self.errcheck: Callable[[Any, Any, tuple[Any, ...]], Any] | None = None
        self._function, self._record, self._entered = function, record, entered

    @property
    def argtypes(self) -> Any:
        """Argument types that ctypes converts to."""
        return getattr(self._function, "argtypes", None)

    @argtypes.setter
    def argtypes(self, types: Any) -> None:
        self._function.argtypes = types

    @property
    def restype(self) -> Any:
        """Type of the result."""
        return getattr(self._function, "restype", None)

    @restype.setter
    def restype(self, kind: Any) -> None:
        self._function.restype = kind

    def __call__(self, *arguments: Any) -> Any:
        """Call the library; an exception is recorded in the place of the result."""
        if self._entered is not None:
            self._entered(self.__name__)
        try:
            result = self._function(*arguments)
        except BaseException as error:
            self._record(self.__name__, arguments, error)
            raise
        self._record(self.__name__, arguments, result)
        return result if self.errcheck is None else self.errcheck(result, self, arguments)


class RecordedLibrary:
    """A library object whose function calls are recorded with name, arguments and result.

    Functions are wrapped at the first access and stay the same objects, because clients declare
    types on them and fetch them again. Whatever is not callable goes through as it is, and a
    missing name is an ``AttributeError`` as before.
    """

    def __init__(self, library: object, record: Record, entered: Entered | None = None) -> None:
        """Wrap a loaded library or a stand-in for one.

        Args:
            library: ``ctypes.CDLL`` or any object with the vendor's function names.
            record: Called after each call with name, arguments as passed and result (the library's
                code, or the exception). Outputs can be read from the arguments then, see
                ``pointed_to``; memory of the library must be read at once.
            entered: Told the name of each function before it is called.
        """
        self._library, self._record, self._entered = library, record, entered

    def __getattr__(self, name: str) -> Any:
        """Return the wrapped function, or the plain attribute."""
        if name in ("_library", "_record", "_entered"):
            raise AttributeError(name)
        attribute = getattr(self._library, name)
        if not callable(attribute):
            return attribute
        function = RecordedFunction(name, attribute, self._record, self._entered)
        # The next access finds it in the instance and does not come here again.
        vars(self)[name] = function
        return function
