"""The token that lets windows of other computers in: read, and checked, before anything opens."""

import os
import stat
import sys
from pathlib import Path

from labctl.errors import ConfigError, Problem

__all__ = ["LEAST", "read_token", "token_in"]

LEAST = 32
"""Characters that a token has at least: 128 random bits as hexadecimal numbers."""
_MOST = 4096
_MAKE = 'make one: python -c "import secrets; print(secrets.token_urlsafe(32))"'


def read_token(file: Path, where: str, beside: Path = Path()) -> bytes:
    """Return the token of a file that only its owner may read.

    On Windows rights are not looked at: only whether there is such a file, and what is in it.

    Args:
        file: The file, as the user has named it.
        where: Place of its name, for the message.
        beside: Where a relative name is looked for.

    Raises:
        ConfigError: There is none, others may read it, or what is in it is no token.
    """
    try:
        with (beside / file.expanduser()).open("rb") as opened:
            doubt, hint = _readers(os.fstat(opened.fileno()))
            text = opened.read(_MOST)
    except OSError as error:
        what = f"the token file '{file}' cannot be read: {(error.strerror or '').lower()}"
        raise ConfigError([Problem(what, where, _MAKE)]) from error
    if doubt:
        what = f"the token file '{file}' {doubt}"
        raise ConfigError([Problem(what, where, hint.format(file=file))])
    return _checked(text.strip(), f"the token file '{file}'", where)


def token_in(variable: str, where: str) -> bytes:
    """Return the token of an environment variable, and take it out of the environment.

    Processes that this one starts, such as those of vendor libraries, do not inherit it then.

    Raises:
        ConfigError: It is not set, or is no token.
    """
    text = os.environ.pop(variable, "")
    if not text:
        what = f"the environment variable {variable} holds no token"
        raise ConfigError([Problem(what, where, _MAKE)])
    return _checked(text.strip().encode(), f"the environment variable {variable}", where)


def _readers(found: os.stat_result) -> tuple[str, str]:
    """Return who but its owner may read a file, and how to mend it; empty texts: nobody."""
    if sys.platform == "win32":
        return "", ""
    if found.st_uid != os.getuid():
        return "belongs to another user", "make one of your own"
    if stat.S_IMODE(found.st_mode) & 0o077:
        mode = f"{stat.S_IMODE(found.st_mode):04o}"
        return f"can be read or changed by others (mode {mode})", "chmod 600 '{file}'"
    return "", ""


def _checked(token: bytes, source: str, where: str) -> bytes:
    if len(token) < LEAST:
        what = f"{source} holds {len(token)} characters, and a token has at least {LEAST}"
        raise ConfigError([Problem(what, where, _MAKE)])
    if not (token.isascii() and token.decode("ascii").isprintable()) or b" " in token:
        what = f"{source} holds something else than one line of letters, digits and signs"
        raise ConfigError([Problem(what, where, _MAKE)])
    return token
