"""JSON schema of recipes, for editors that complete and check while one types."""

from typing import Any

from pydantic import BaseModel

from labctl.recipes._nodes import OnError, RecipeFile
from labctl.recipes._parse import GRAMMAR
from labctl.recipes._registry import calibration_types, measurement_types

__all__ = ["json_schema"]

_STEPS = {"type": "array", "items": {"$ref": "#/$defs/step"}}


def json_schema() -> dict[str, Any]:
    """Return the schema of a recipe file with the measurements that are installed."""
    definitions: dict[str, Any] = {}
    recipe = _schema(RecipeFile, definitions)
    recipe["properties"]["steps"] = _STEPS
    kinds = [_grammar(verb, model, definitions) for verb, model in GRAMMAR.items()]
    kinds += [
        _measure(verb, _schema(model, definitions)) for verb, model in measurement_types().items()
    ]
    kinds += [
        _measure("calibrate", _with_kind(kind, _schema(model, definitions)))
        for kind, model in calibration_types().items()
    ]
    definitions["step"] = {"anyOf": kinds}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **recipe,
        "$defs": definitions,
    }


def _schema(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    definitions.update(schema.pop("$defs", {}))
    return schema


def _grammar(verb: str, model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = _schema(model, definitions)
    if "steps" in schema["properties"]:
        schema["properties"]["steps"] = _STEPS
    if verb == "repeat":
        definitions["Repetition"]["properties"]["steps"] = _STEPS
    if verb == "dots":
        definitions["DotLoop"]["properties"]["steps"] = _STEPS
    return schema


def _measure(verb: str, parameters: dict[str, Any]) -> dict[str, Any]:
    nullable = [] if parameters.get("required") else [{"type": "null"}]
    return {
        "type": "object",
        "description": parameters.get("description", ""),
        "properties": {
            verb: {"anyOf": [parameters, *nullable]},
            "label": {"type": "string"},
            "on_error": {"enum": list(OnError.__args__)},
        },
        "required": [verb],
        "additionalProperties": False,
    }


def _with_kind(kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
    properties = {"kind": {"const": kind}, **parameters.get("properties", {})}
    required = ["kind", *parameters.get("required", [])]
    return {**parameters, "properties": properties, "required": required}
