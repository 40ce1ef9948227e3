"""JSON schema of the set-up file, for editors."""

from typing import Any

from labctl.setup._models import SetupFile
from labctl.setup._plugins import DRIVERS, SIMULATORS, Plugins

__all__ = ["setup_schema"]


def setup_schema() -> dict[str, Any]:
    """Return the schema of a set-up file with the drivers and simulators that are installed."""
    schema = SetupFile.model_json_schema(by_alias=True)
    plugins = Plugins()
    definitions = schema["$defs"]
    definitions["InstrumentBlock"]["properties"]["driver"]["enum"] = plugins.names(DRIVERS)
    definitions["Simulate"]["properties"]["simulator"] = {"enum": plugins.names(SIMULATORS)}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
