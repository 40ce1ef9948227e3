"""The way in for windows of other computers, where a set-up opens one."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from labctl.channels import Channel, Door
from labctl.errors import ConfigError, Problem
from labctl.host.server._audience import Audience
from labctl.host.server._board import Board
from labctl.host.server._request import EngineRequest
from labctl.host.server._token import read_token, token_in
from labctl.setup import Listen, Setup, changed, load_yaml

__all__ = ["Outside", "listening", "outside"]


@dataclass(frozen=True)
class Outside:
    """Where to listen, and the token.

    Attributes:
        host: Address of this computer.
        port: Port there.
        where: Place of the block ``listen``, for messages.
        token: The secret; never shown.
    """

    host: str
    port: int
    where: str
    token: bytes = field(repr=False)


def outside(request: EngineRequest, setup: Setup) -> Outside | None:
    """Return where the engine of a set-up listens for other computers; None: nowhere.

    Raises:
        ConfigError: There is no good token; nothing has been opened.
    """
    block = setup.file.listen
    if block is None:
        return None
    document = changed(load_yaml(request.setup), request.changes)
    token = _token(block, setup.path, lambda key: document.where(("listen", key)))
    return Outside(block.host, block.port, document.where(("listen",)), token)


@contextmanager
def listening(wanted: Outside | None, audience: Audience, board: Board) -> Generator[None]:
    """Let windows of other computers in while the block runs.

    Raises:
        ConfigError: This address and port cannot be listened on.
    """
    if wanted is None:
        yield
        return

    def admit(channel: Channel, address: str) -> None:
        board.say("info", "engine", f"a window of {address} is attached")
        audience.admit(channel)

    def refuse(address: str, number: int) -> None:
        # Somebody who tries for long shall not fill the log: the 1st, 2nd, 4th, 8th … is told.
        if number & (number - 1) == 0:
            text = f"a caller from {address} did not know the token, {number} so far"
            board.say("warning", "engine", text)

    door, place = Door(wanted.token, admit, refuse), f"{wanted.host} port {wanted.port}"
    try:
        door.open(wanted.host, wanted.port)
    except OSError as error:
        what = f"listen: {place} cannot be listened on: {(error.strerror or str(error)).lower()}"
        hint = "use an address of this computer, and a port that no other program or engine has"
        raise ConfigError([Problem(what, wanted.where, hint)]) from error
    try:
        board.engine(listens=place)
        board.say("info", "engine", f"windows with the token are let in at {place}")
        yield
    finally:
        door.close()


def _token(block: Listen, setup: Path, where: Callable[[str], str]) -> bytes:
    if block.token_file is not None:
        return read_token(block.token_file, where("token_file"), setup.parent)
    return token_in(block.token_variable or "", where("token_variable"))
