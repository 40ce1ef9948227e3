"""Functions about parameters: description, values, commit."""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labctl_sim.libraries import (
    Function,
    Memory,
    VendorError,
    read_structure,
    write_double,
    write_int,
    write_int64,
    write_pointer,
)
from labctl_sim.princeton import _picam_structures as c
from labctl_sim.princeton._picam_link import POINTER, Link, freeing
from labctl_sim.princeton._picam_parameters import BY_ID, Kind, Parameter, Rule
from labctl_sim.princeton._picam_words import Code

__all__ = ["Constraints", "Parameters"]

_INT, _INT64, _DOUBLE = ctypes.c_int, ctypes.c_longlong, ctypes.c_double
_CAPABLE, _REQUIRED = 1, 2
_ACCESS_READ_ONLY, _ACCESS_READ_WRITE = 1, 2


def _known(parameter: int) -> Parameter:
    if parameter not in BY_ID:
        raise VendorError(Code.PARAMETER_DOES_NOT_EXIST)
    return BY_ID[parameter]


_INTEGERS = (Kind.INTEGER, Kind.BOOLEAN, Kind.ENUMERATION)
_FLOATS, _LARGE = (Kind.FLOATING_POINT,), (Kind.LARGE_INTEGER,)


class Parameters:
    """Description and values of parameters, and the commit."""

    def __init__(self, link: Link, memory: Memory) -> None:
        """Allocate in ``memory`` what the client has to destroy."""
        self._link, self._memory = link, memory

    def functions(self) -> Mapping[str, Function]:
        """Declare the functions by their names."""
        three = (POINTER,) * 3
        rois_in = Function((POINTER, _INT, POINTER), self._set_rois)
        return {
            "Picam_GetParameters": Function(three, self._list),
            "Picam_DestroyParameters": freeing(self._memory),
            **self._descriptions(),
            **self._numbers("Integer", _INTEGERS, _INT, write_int),
            **self._numbers("LargeInteger", _LARGE, _INT64, write_int64),
            **self._numbers("FloatingPoint", _FLOATS, _DOUBLE, write_double),
            "Picam_GetParameterRoisValue": self._rois("get"),
            "Picam_GetParameterRoisDefaultValue": self._rois("default"),
            "Picam_SetParameterRoisValue": rois_in,
            "Picam_DestroyRois": freeing(self._memory),
            "Picam_RestoreParametersToDefaultValues": self._link.of_handle("restore_defaults"),
            "Picam_AreParametersCommitted": self._link.integer_of_handle("committed"),
            "Picam_CommitParameters": Function(three, self._commit),
        }

    def _list(self, handle: int | None, array: int | None, count: int | None) -> None:
        self._link.ask("check", handle)
        write_int(count, len(BY_ID))
        write_pointer(array, c.keep_array(self._memory, _INT, list(BY_ID)))

    def _descriptions(self) -> Mapping[str, Function]:
        return {
            "Picam_DoesParameterExist": self._described(lambda p: 1, unknown=0),
            "Picam_CanReadParameter": self._described(lambda p: p.readable),
            "Picam_CanSetParameterOnline": self._described(lambda p: p.online),
            "Picam_GetParameterValueType": self._described(lambda p: p.kind),
            "Picam_GetParameterConstraintType": self._described(lambda p: p.rule),
            "Picam_GetParameterEnumeratedType": self._described(self._enumerated),
            "Picam_GetParameterValueAccess": self._described(
                lambda p: _ACCESS_READ_WRITE if p.writable else _ACCESS_READ_ONLY
            ),
            "Picam_IsParameterRelevant": Function((POINTER, _INT, POINTER), self._relevant),
        }

    @staticmethod
    def _enumerated(parameter: Parameter) -> int:
        if parameter.words_of_values is None:
            raise VendorError(Code.PARAMETER_HAS_INVALID_VALUE_TYPE)
        return parameter.words_of_values

    def _described(
        self, describe: Callable[[Parameter], int], unknown: int | None = None
    ) -> Function:
        def body(handle: int | None, parameter: int, output: int | None) -> None:
            self._link.ask("check", handle)
            if parameter not in BY_ID and unknown is not None:
                write_int(output, unknown)
            else:
                write_int(output, describe(_known(parameter)))

        return Function((POINTER, _INT, POINTER), body)

    def _relevant(self, handle: int | None, parameter: int, output: int | None) -> None:
        write_int(output, self._link.ask("relevant", handle, _known(parameter).id))

    def _numbers(
        self,
        name: str,
        kinds: Sequence[Kind],
        c_type: type[Any],
        write: Callable[[int | None, Any], None],
    ) -> Mapping[str, Function]:
        def getter(command: str) -> Function:
            def get(handle: int | None, parameter: int, output: int | None) -> None:
                self._check(parameter, kinds)
                value = self._link.ask(command, handle, parameter)
                write(output, value if c_type is _DOUBLE else int(value))

            return Function((POINTER, _INT, POINTER), get)

        def setter(command: str) -> Function:
            def put(handle: int | None, parameter: int, value: float) -> None:
                self._check(parameter, kinds)
                self._link.ask(command, handle, parameter, value)

            return Function((POINTER, _INT, c_type), put)

        functions = {
            f"Picam_GetParameter{name}Value": getter("get"),
            f"Picam_GetParameter{name}DefaultValue": getter("default"),
            f"Picam_SetParameter{name}Value": setter("set"),
        }
        if c_type is not _INT64:
            functions[f"Picam_ReadParameter{name}Value"] = getter("read")
            functions[f"Picam_SetParameter{name}ValueOnline"] = setter("set_online")
        return functions

    @staticmethod
    def _check(parameter: int, kinds: Sequence[Kind]) -> None:
        if _known(parameter).kind not in kinds:
            raise VendorError(Code.PARAMETER_HAS_INVALID_VALUE_TYPE)

    def _rois(self, command: str) -> Function:
        def get(handle: int | None, parameter: int, output: int | None) -> None:
            self._check(parameter, (Kind.ROIS,))
            region = self._link.ask(command, handle, parameter)
            write_pointer(output, c.keep_rois(self._memory, region))

        return Function((POINTER, _INT, POINTER), get)

    def _set_rois(self, handle: int | None, parameter: int, value: int | None) -> None:
        self._check(parameter, (Kind.ROIS,))
        rois = read_structure(value, c.Rois)
        if rois.roi_count != 1:
            raise VendorError(Code.INVALID_PARAMETER_VALUE)
        roi = rois.roi_array[0]
        region = [roi.x, roi.width, roi.x_binning, roi.y, roi.height, roi.y_binning]
        self._link.ask("set", handle, parameter, region)

    def _commit(self, handle: int | None, array: int | None, count: int | None) -> int:
        code, failed = self._link.both("commit", handle)
        refused: list[int] = failed or []
        write_int(count, len(refused))
        write_pointer(array, c.keep_array(self._memory, _INT, refused))
        return code


class Constraints:
    """What the parameters may be."""

    def __init__(self, link: Link, memory: Memory) -> None:
        """Allocate in ``memory`` what the client has to destroy."""
        self._link, self._memory = link, memory

    def functions(self) -> Mapping[str, Function]:
        """Declare the functions by their names."""
        rules = {
            "Range": (Rule.RANGE, c.keep_range),
            "Collection": (Rule.COLLECTION, c.keep_collection),
            "Rois": (Rule.ROIS, c.keep_regions),
        }
        functions: dict[str, Function] = {}
        for name, (rule, keep) in rules.items():
            functions[f"Picam_GetParameter{name}Constraint"] = self._getter(rule, keep)
            functions[f"Picam_Destroy{name}Constraints"] = freeing(self._memory)
        return functions

    def _getter(self, rule: Rule, keep: Callable[..., int]) -> Function:
        def get(handle: int | None, parameter: int, category: int, output: int | None) -> None:
            if _known(parameter).rule is not rule:
                raise VendorError(Code.PARAMETER_HAS_INVALID_CONSTRAINT_TYPE)
            if category not in (_CAPABLE, _REQUIRED):
                raise VendorError(Code.INVALID_CONSTRAINT_CATEGORY)
            parts = self._link.ask("constraint", handle, parameter, category == _CAPABLE)
            write_pointer(output, keep(self._memory, *parts))

        return Function((POINTER, _INT, _INT, POINTER), get)
