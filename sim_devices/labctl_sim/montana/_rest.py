"""The REST form of the s-series: properties and methods below /v1, JSON bodies, JSON errors."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from labctl_sim.wire import HttpRequest, HttpResponse

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Getter: TypeAlias = Callable[[], Json]
Setter: TypeAlias = Callable[[Json], None]

_ROOT = "/v1"


class RefusedError(Exception):
    """The instrument will not do this; answered as 400 with title and detail.

    Args:
        detail: A sentence for the client.
        title: A few words.
    """

    def __init__(self, detail: str, title: str = "Bad Request") -> None:
        super().__init__(detail)
        self.title = title


@dataclass(frozen=True)
class Property:
    """One property: how to read it and, unless it is read-only, how to write it."""

    read: Getter
    write: Setter | None = None


class RestTree:
    """All end points of one instrument.

    Args:
        properties: Path below /v1, as in ``controller/properties/systemGoal``, to property.
        methods: Path below /v1, as in ``controller/methods/cooldown()``, to action.
    """

    def __init__(
        self, properties: dict[str, Property], methods: dict[str, Callable[[], None]]
    ) -> None:
        self._properties = properties
        self._methods = methods

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request; every failure is a status with ``title`` and ``detail``."""
        try:
            return self._route(request)
        except RefusedError as refusal:
            return _failure(HTTPStatus.BAD_REQUEST, refusal.title, str(refusal))

    def _route(self, request: HttpRequest) -> HttpResponse:
        if not (request.path + "/").startswith(_ROOT + "/"):
            return _not_found(request.path)
        path = "/".join(part for part in request.path.removeprefix(_ROOT).split("/") if part)
        if not path and request.method == "GET":
            return _reply([f"http://{request.host}{_ROOT}/{known}" for known in self._paths()])
        if path in self._properties:
            return self._property(request, self._properties[path], path.rpartition("/")[2])
        if path in self._methods and request.method == "POST":
            self._methods[path]()
            return HttpResponse(HTTPStatus.OK)
        if path in self._methods:
            return _not_allowed(request)
        return _not_found(request.path)

    def _property(self, request: HttpRequest, target: Property, name: str) -> HttpResponse:
        if request.method == "GET":
            return _reply({name: target.read()})
        if request.method != "PUT" or target.write is None:
            return _not_allowed(request)
        target.write(_put_value(request.body, name))
        return HttpResponse(HTTPStatus.OK)

    def _paths(self) -> list[str]:
        return [*self._properties, *self._methods]


def number(low: float, high: float, store: Callable[[float], None]) -> Setter:
    """Make a setter for a number within limits."""

    def write(value: Json) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise RefusedError(f"{value!r} is not a number")
        if not low <= value <= high:
            raise RefusedError(
                f"{value:g} is not between {low:g} and {high:g}", "Value out of range"
            )
        store(float(value))

    return write


def flag(store: Callable[[bool], None]) -> Setter:
    """Make a setter for a Boolean."""

    def write(value: Json) -> None:
        if not isinstance(value, bool):
            raise RefusedError(f"{value!r} is not true or false")
        store(value)

    return write


def _put_value(body: bytes, name: str) -> Json:
    """Take both forms in use: the bare value, and an object with the property's name."""
    try:
        value: Json = json.loads(body)
    except ValueError as error:
        raise RefusedError(f"the body is not JSON: {error}") from error
    return value[name] if isinstance(value, dict) and set(value) == {name} else value


def _reply(value: Json) -> HttpResponse:
    return HttpResponse(HTTPStatus.OK, json.dumps(value).encode())


def _failure(status: HTTPStatus, title: str, detail: str) -> HttpResponse:
    return HttpResponse(status, json.dumps({"title": title, "detail": detail}).encode())


def _not_found(path: str) -> HttpResponse:
    return _failure(HTTPStatus.NOT_FOUND, "Not Found", f"there is no end point {path}")


def _not_allowed(request: HttpRequest) -> HttpResponse:
    detail = f"{request.method} is not possible on {request.path}"
    return _failure(HTTPStatus.METHOD_NOT_ALLOWED, "Method Not Allowed", detail)
