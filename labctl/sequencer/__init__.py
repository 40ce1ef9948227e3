"""The sequencer: carries out the steps of a run, whatever happens meanwhile."""

from labctl.sequencer._announce import Announcer, Listener, Look
from labctl.sequencer._book import Book, Journal, Status
from labctl.sequencer._control import (
    Aborted,
    Control,
    Interruption,
    Repeated,
    Skipped,
    Suspended,
)
from labctl.sequencer._engine import Outcome, ending, execute
from labctl.sequencer._guard import Guard
from labctl.sequencer._past import Past
from labctl.sequencer._session import OnTimeout, Session
from labctl.sequencer._shield import undisturbed
from labctl.sequencer._states import FINAL, TRANSITIONS, StateMachine
from labctl.sequencer._trip_rule import TripRule, TripWatch, rule_of
from labctl.sequencer._watches import Standing

__all__ = [
    "FINAL",
    "TRANSITIONS",
    "Aborted",
    "Announcer",
    "Book",
    "Control",
    "Guard",
    "Interruption",
    "Journal",
    "Listener",
    "Look",
    "OnTimeout",
    "Outcome",
    "Past",
    "Repeated",
    "Session",
    "Skipped",
    "Standing",
    "StateMachine",
    "Status",
    "Suspended",
    "TripRule",
    "TripWatch",
    "ending",
    "execute",
    "rule_of",
    "undisturbed",
]
