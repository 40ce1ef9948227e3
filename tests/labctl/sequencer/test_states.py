"""The table of states, pair by pair."""

from itertools import product
from typing import get_args

import pytest

from labctl.errors import RefusedError
from labctl.events import State
from labctl.sequencer import FINAL, TRANSITIONS, StateMachine

STATES: tuple[State, ...] = get_args(State)
VERBS = sorted({verb for _, verb in TRANSITIONS} | {"explode"})


@pytest.mark.parametrize(("state", "verb"), list(product(STATES, VERBS)))
def test_every_pair_does_what_the_table_says_or_is_refused(state: State, verb: str) -> None:
    machine = StateMachine()
    machine.state = state
    expected = TRANSITIONS.get((state, verb))
    assert machine.allows(verb) == (expected is not None)
    if expected is None:
        with pytest.raises(RefusedError, match=f"run: cannot {verb} while {state}"):
            machine.apply(verb)
        assert machine.state == state
    else:
        assert machine.apply(verb) == machine.state == expected


def test_the_whole_table_is_what_the_design_draws() -> None:
    edges = {(before, after) for (before, _), after in TRANSITIONS.items() if before != after}
    assert edges == {
        ("idle", "running"),
        ("running", "pausing"),
        ("running", "suspended"),
        ("suspended", "running"),
        ("suspended", "pausing"),
        ("suspended", "stopping"),
        ("running", "stopping"),
        ("pausing", "paused"),
        ("pausing", "running"),
        ("pausing", "stopping"),
        ("paused", "running"),
        ("paused", "stopping"),
        ("stopping", "done"),
        ("stopping", "aborted"),
        ("stopping", "failed"),
    }


def test_nothing_leaves_a_final_state_and_every_state_can_be_reached() -> None:
    assert not [state for state, _ in TRANSITIONS if state in FINAL]
    assert {"idle", *TRANSITIONS.values()} == set(STATES)
