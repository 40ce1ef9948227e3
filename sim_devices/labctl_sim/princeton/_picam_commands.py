"""Commands about the parameters of a simulated camera, as the library answers them."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from labctl_sim.libraries import VendorError
from labctl_sim.princeton import _picam_parameters as p
from labctl_sim.princeton._picam_constraints import Collection, Range, Region
from labctl_sim.princeton._picam_faults import Faults
from labctl_sim.princeton._picam_session import Session
from labctl_sim.princeton._picam_settings import Settings, Value
from labctl_sim.princeton._picam_words import Code
from labctl_sim.princeton._picam_world import Emccd

__all__ = ["CommitFailedError", "ParameterCommands"]

_LOCKED, _UNLOCKED = 2, 1


class CommitFailedError(Exception):
    """A commit is refused, in one of the two ways that clients have met (pyLabLib#119)."""

    def __init__(self, parameters: list[int], way: str) -> None:
        """Keep the identifiers of the refused parameters and the code of this way."""
        self.parameters = parameters
        self.code = int(Code.NONE if way == "list" else Code.INVALID_PARAMETER_VALUES)
        super().__init__(way)


class ParameterCommands:
    """Read, set, constrain and commit."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        emccd: Emccd,
        faults: Faults,
        *,
        refusal: str,
        need_rest: Callable[[], None],
    ) -> None:
        """Work on ``settings``.

        Args:
            session: Checks handles.
            settings: The values.
            emccd: Cooler and thermometer.
            faults: Faults in force.
            refusal: Way in which impossible combinations are refused: "list" or "code28".
            need_rest: Refuses while an acquisition runs.
        """
        self._session, self._settings, self._emccd = session, settings, emccd
        self._faults, self._refusal, self._need_rest = faults, refusal, need_rest
        self._cooled_to_c = settings.number(p.SENSOR_TEMPERATURE_SET_POINT)

    def commands(self) -> Mapping[str, Callable[..., Any]]:
        """Return the commands by name."""
        return {
            "relevant": self._relevant,
            "get": self._get,
            "default": self._default,
            "read": self._read,
            "set": self._set,
            "set_online": self._set_online,
            "constraint": self._constraint,
            "restore_defaults": self._restore_defaults,
            "committed": self._committed,
            "commit": self._commit,
        }

    def _declared(self, handle: int | None, parameter: int) -> p.Parameter:
        self._session.need_camera(handle)
        return p.BY_ID[parameter]

    def _relevant(self, handle: int | None, parameter: int) -> int:
        return int(self._settings.relevant(self._declared(handle, parameter)))

    def _get(self, handle: int | None, parameter: int) -> Any:
        declared = self._declared(handle, parameter)
        if declared.readable:
            return self._measured(declared)
        return self._plain(self._settings.get(declared))

    def _default(self, handle: int | None, parameter: int) -> Any:
        declared = self._declared(handle, parameter)
        if not declared.writable:
            raise VendorError(Code.PARAMETER_VALUE_IS_READ_ONLY)
        return self._plain(self._settings.default(declared))

    @staticmethod
    def _plain(value: Value) -> Any:
        return list(value) if isinstance(value, tuple) else value

    def _read(self, handle: int | None, parameter: int) -> float:
        declared = self._declared(handle, parameter)
        if not declared.readable:
            raise VendorError(Code.PARAMETER_IS_NOT_READABLE)
        return self._measured(declared)

    def _measured(self, declared: p.Parameter) -> float:
        if declared is p.SENSOR_TEMPERATURE_READING:
            return self._emccd.sensor_c()
        if self._faults.sensor_status is not None:
            return self._faults.sensor_status
        return _LOCKED if self._emccd.locked() else _UNLOCKED

    def _set(self, handle: int | None, parameter: int, value: Any) -> None:
        declared = self._declared(handle, parameter)
        self._need_rest()
        self._settings.set(declared, self._value(value))

    def _set_online(self, handle: int | None, parameter: int, value: Any) -> None:
        self._settings.set_online(self._declared(handle, parameter), self._value(value))

    @staticmethod
    def _value(value: Any) -> Value:
        return cast(Region, tuple(cast(list[int], value))) if isinstance(value, list) else value

    def _constraint(self, handle: int | None, parameter: int, capable: bool) -> list[Any]:
        declared = self._declared(handle, parameter)
        rule = self._settings.constraint(declared, capable=capable)
        dependent = self._settings.dependent(declared) and not capable
        if isinstance(rule, Range):
            return [dependent, rule.minimum, rule.maximum, rule.step]
        if isinstance(rule, Collection):
            return [dependent, list(rule.values)]
        return [rule.columns, rule.rows]

    def _restore_defaults(self, handle: int | None) -> None:
        self._session.need_camera(handle)
        self._need_rest()
        self._settings.restore_defaults()

    def _committed(self, handle: int | None) -> int:
        self._session.need_camera(handle)
        return int(self._settings.committed)

    def _commit(self, handle: int | None) -> None:
        self._session.need_camera(handle)
        self._need_rest()
        refusal = self._faults.refusal
        if refusal is not None and refusal.strikes():
            raise CommitFailedError(refusal.parameters, refusal.way)
        invalid = self._settings.invalid()
        if invalid:
            raise CommitFailedError([parameter.id for parameter in invalid], self._refusal)
        crop = self._faults.crop
        if crop is not None and crop.strikes():
            self._faults.crop = None
            self._settings.crop(crop.columns)
        self._settings.commit()
        self._cool()

    def _cool(self) -> None:
        target_c = self._settings.number(p.SENSOR_TEMPERATURE_SET_POINT)
        if target_c != self._cooled_to_c:
            self._cooled_to_c = target_c
            self._emccd.set_sensor_target_c(target_c)
