"""What every installed driver must be, whoever wrote it."""

import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from labctl.roles import Instrument, Settings
from labctl.units import parse

ROOT = Path(__file__).parents[2]
DRIVERS = sorted(entry_points(group="labctl.drivers"), key=lambda entry: entry.name)
INTERFACES = {"stream", "http", "library", "hand"}
SOURCE = re.compile(
    r"\b(manuals?|guide|specification|documentation|data ?sheet|header|library|Facts:)",
    re.IGNORECASE,
)
VENDOR_PACKAGES = ("pylablib", "PyQt5", "pyqtgraph", "serial", "usb", "pymeasure", "instrumental")

BLOCK = """
import importlib, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name + " is blocked here", name=name)

sys.meta_path.insert(0, Blocked())
for name in {modules!r}:
    importlib.import_module(name)
"""


@pytest.fixture(params=DRIVERS, ids=[entry.name for entry in DRIVERS])
def entry(request: pytest.FixtureRequest) -> EntryPoint:
    return request.param


@pytest.fixture
def driver(entry: EntryPoint) -> type[Instrument]:
    return entry.load()


def blocks_in_set_ups() -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Yield (file, instrument name, block) of every set-up that is shipped."""
    yaml: Any = YAML(typ="safe", pure=True)
    for file in sorted((ROOT / "configs" / "setups").glob("*.yaml")):
        document = yaml.load(file.read_text(encoding="utf-8"))
        for name, block in document["instruments"].items():
            yield file, name, block


def methods_missing(driver: type[Instrument], names: list[str]) -> list[str]:
    return [name for name in names if not callable(getattr(driver, name, None))]


def is_unit(text: str) -> bool:
    try:
        return text == "" or parse(f"1 {text}", text) == 1.0
    except ValueError:
        return False


def test_some_driver_is_installed() -> None:
    assert DRIVERS, "install the project: pip install -e ."


def test_its_name_is_vendor_and_model(entry: EntryPoint) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z0-9_]+", entry.name)


def test_it_plays_a_role(driver: type[Instrument]) -> None:
    assert issubclass(driver, Instrument)
    roles = [base for base in driver.__mro__ if base.__module__.startswith("labctl.roles._")]
    assert roles[0] is not Instrument, "derive from a role, not from Instrument itself"
    assert driver.role == vars(roles[0])["role"]


def test_it_writes_every_method_of_its_role(driver: type[Instrument]) -> None:
    assert not inspect.isabstract(driver), sorted(driver.__abstractmethods__)


def test_it_says_how_it_is_reached(driver: type[Instrument]) -> None:
    assert driver.interface in INTERFACES


def test_its_settings_are_its_own_and_strict(driver: type[Instrument]) -> None:
    assert issubclass(driver.settings_type, Settings)
    assert driver.settings_type.model_config.get("extra") == "forbid"
    assert driver.settings_type.model_config.get("frozen") is True


def test_its_settings_are_explained(driver: type[Instrument]) -> None:
    if driver.settings_type is not Settings:
        assert inspect.getdoc(driver.settings_type) != inspect.getdoc(Settings)
    assert driver.settings_type.model_json_schema()["type"] == "object"


def docstrings(module: str) -> str:
    """Return what a driver's module and the private ones of the same model say of themselves."""
    package, _, model = module.rpartition(".")
    folder = Path(str(importlib.import_module(module).__file__)).parent
    names = [f"{package}.{file.stem}" for file in sorted(folder.glob(f"_{model}*.py"))]
    return "\n".join(
        inspect.getdoc(importlib.import_module(name)) or "" for name in [module, *names]
    )


def test_its_module_names_instrument_and_source(driver: type[Instrument]) -> None:
    assert inspect.getdoc(importlib.import_module(driver.__module__))
    if driver.interface != "hand":
        assert SOURCE.search(docstrings(driver.__module__)), "name the manual, or another source"


def test_its_safe_actions_can_be_done_and_verified(driver: type[Instrument]) -> None:
    actions = driver.safe_actions.values()
    assert not methods_missing(driver, [name for a in actions for name in (a.do, a.verify)])


def test_its_settables_can_be_started_awaited_and_read(driver: type[Instrument]) -> None:
    forms = ("start_{}", "{}_arrived", "read_{}")
    names = [form.format(name) for name in driver.settables for form in forms]
    assert not methods_missing(driver, names)
    assert set(driver.settables) <= set(driver.readables)


def test_its_readables_can_be_read(driver: type[Instrument]) -> None:
    assert not methods_missing(driver, [f"read_{name}" for name in driver.readables])


def test_its_quantities_have_units(driver: type[Instrument]) -> None:
    specs = driver.settables.items()
    units = {**driver.readables, **{name: spec.unit for name, spec in specs}}
    assert not {name: unit for name, unit in units.items() if not is_unit(unit)}
    assert all(spec.unit for spec in driver.settables.values())
    assert all(spec.unit == driver.readables[name] for name, spec in specs)


def test_its_settables_are_bounded(driver: type[Instrument]) -> None:
    for spec in driver.settables.values():
        assert spec.limits.low < spec.limits.high
        assert spec.timeout_s > 0
        assert spec.tolerance > 0


def test_its_public_methods_are_explained(driver: type[Instrument]) -> None:
    own = {n: v for n, v in vars(driver).items() if callable(v) and not n.startswith("_")}
    assert not [name for name in own if not inspect.getdoc(getattr(driver, name))]


def test_it_is_in_a_set_up_that_is_shipped(entry: EntryPoint) -> None:
    if not entry.value.startswith("labctl_drivers."):
        pytest.skip("comes with another project")
    assert entry.name in {block["driver"] for _, _, block in blocks_in_set_ups()}


def test_set_ups_name_installed_drivers() -> None:
    known = {entry.name for entry in DRIVERS}
    blocks = blocks_in_set_ups()
    assert not [(f.name, n, b["driver"]) for f, n, b in blocks if b["driver"] not in known]


def test_drivers_import_without_their_vendors_packages() -> None:
    """A missing vendor package is an error of the one instrument, when it is connected."""
    modules = sorted({entry.module for entry in DRIVERS})
    program = BLOCK.format(modules=modules, blocked=VENDOR_PACKAGES)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
