"""How engine and window prove to each other that they know the same token, without sending it.

Pure bytes of fixed sizes, so that nothing that a stranger sends is ever measured or parsed:
the engine's hello (magic and 32 random bytes), the window's answer (32 random bytes of its own and
its proof), the engine's proof. A proof is HMAC-SHA256 (RFC 2104) with the token as key over the
name of the side that proves and both random parts, so that neither side's can be sent back to it.
"""

import hmac
import secrets

__all__ = ["ANSWER_BYTES", "HELLO_BYTES", "PROOF_BYTES", "Greeting", "answer_to", "is_hello"]

_MAGIC = b"labctl 1\n"
_RANDOM, PROOF_BYTES = 32, 32
HELLO_BYTES = len(_MAGIC) + _RANDOM
ANSWER_BYTES = _RANDOM + PROOF_BYTES


class Greeting:
    """The engine's side of one call.

    Attributes:
        hello: What it says first.
    """

    def __init__(self, token: bytes) -> None:
        """Begin a greeting; each has a random part of its own."""
        self._token, self._mine = token, secrets.token_bytes(_RANDOM)
        self.hello = _MAGIC + self._mine

    def proof_for(self, answer: bytes) -> bytes | None:
        """Return the engine's own proof; None: whoever answered does not know the token."""
        theirs, proof = answer[:_RANDOM], answer[_RANDOM:]
        if not hmac.compare_digest(proof, _proof(self._token, b"window", self._mine, theirs)):
            return None
        return _proof(self._token, b"engine", theirs, self._mine)


def is_hello(hello: bytes) -> bool:
    """Whether an engine says this."""
    return len(hello) == HELLO_BYTES and hello.startswith(_MAGIC)


def answer_to(hello: bytes, token: bytes) -> tuple[bytes, bytes]:
    """Return what a window answers, and the proof that it then wants of the engine."""
    theirs, mine = hello[len(_MAGIC) :], secrets.token_bytes(_RANDOM)
    answer = mine + _proof(token, b"window", theirs, mine)
    return answer, _proof(token, b"engine", mine, theirs)


def _proof(token: bytes, side: bytes, first: bytes, second: bytes) -> bytes:
    return hmac.digest(token, b"labctl " + side + first + second, "sha256")
