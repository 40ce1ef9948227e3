"""Where a window finds the engine of a set-up: a file that only its user may read."""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing import AuthenticationError
from pathlib import Path

from platformdirs import user_runtime_path

from labctl.channels import Channel, connect
from labctl.errors import RefusedError

__all__ = ["Offer", "call", "offer", "place_of", "refuse_second", "withdraw"]

_FOLDER = "LABCTL_RUNTIME_DIR"
_TRIES = 3


@dataclass(frozen=True)
class Offer:
    """What the file says: where the engine listens, the secret, and for which set-up it stands."""

    port: int
    key: str
    pid: int
    setup: str
    simulate: bool


def place_of(setup: Path, *, simulate: bool) -> Path:
    """Return the file of the engine of a set-up; simulated ones have engines of their own."""
    known = f"{setup.expanduser().resolve()} {simulate}"
    digest = hashlib.sha256(known.encode()).hexdigest()[:12]
    given = os.environ.get(_FOLDER)
    folder = Path(given) if given else user_runtime_path("labctl")
    return folder / f"engine_{setup.stem}_{digest}.json"


def call(place: Path) -> Channel | None:
    """Return a channel to the engine that has left this file; None if there is none alive."""
    try:
        found = Offer(**json.loads(place.read_text("utf-8")))
        return connect(found.port, bytes.fromhex(found.key))
    except (OSError, ValueError, TypeError, EOFError, AuthenticationError):
        return None


def offer(place: Path, told: Offer) -> None:
    """Leave the file; that of an engine which is dead is taken over.

    Raises:
        RefusedError: An engine is alive that owns the instruments of this set-up.
    """
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for _ in range(_TRIES):
        with suppress(FileExistsError):
            # The key lets others steer the set-up, so the file is the user's alone.
            descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(told), file)
            return
        refuse_second(place, told.setup)
        place.unlink(missing_ok=True)
    raise RefusedError("engine", f"{place} cannot be left", "remove it")


def refuse_second(place: Path, setup: str) -> None:
    """Do nothing, unless an engine is alive that has left this file.

    Raises:
        RefusedError: There is one.
    """
    channel = call(place)
    if channel is not None:
        channel.close()
        raise RefusedError("engine", f"{setup} has one already", "attach to it")


def withdraw(place: Path, told: Offer) -> None:
    """Take the file away, if it is still the one that was left."""
    with suppress(OSError, ValueError, TypeError):
        if Offer(**json.loads(place.read_text("utf-8"))) == told:
            place.unlink(missing_ok=True)
