"""The set-up file: instruments, light paths, safe state; checked completely before use."""

from labctl.setup._amount import Amount, number_in
from labctl.setup._changes import changed
from labctl.setup._checks import normal_address
from labctl.setup._faults import injected
from labctl.setup._instrument import InstrumentSetup
from labctl.setup._load import (
    check_sample,
    draft_setup,
    in_order,
    load_setup,
    read_draft,
    read_setup,
)
from labctl.setup._models import (
    Calibration,
    Fault,
    Interlock,
    Laser,
    Listen,
    Monitor,
    Recording,
    Rule,
    SetupFile,
    User,
)
from labctl.setup._plain import plain
from labctl.setup._schema import setup_schema
from labctl.setup._setup import Setup
from labctl.setup._words import did_you_mean, explain, keys_of, spelled
from labctl.setup._written import WrittenEntry, with_entry, with_value
from labctl.setup._yaml import (
    Document,
    Key,
    Location,
    Written,
    load_yaml,
    outline,
    parse_yaml,
)

__all__ = [
    "Amount",
    "Calibration",
    "Document",
    "Fault",
    "InstrumentSetup",
    "Interlock",
    "Key",
    "Laser",
    "Listen",
    "Location",
    "Monitor",
    "Recording",
    "Rule",
    "Setup",
    "SetupFile",
    "User",
    "Written",
    "WrittenEntry",
    "changed",
    "check_sample",
    "did_you_mean",
    "draft_setup",
    "explain",
    "in_order",
    "injected",
    "keys_of",
    "load_setup",
    "load_yaml",
    "normal_address",
    "number_in",
    "outline",
    "parse_yaml",
    "plain",
    "read_draft",
    "read_setup",
    "setup_schema",
    "spelled",
    "with_entry",
    "with_value",
]
