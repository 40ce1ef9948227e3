"""What is wrong with the replies of one instrument, for how long, and which reply is next."""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Rule:
    """One fault that waits for replies to spoil.

    Args:
        kind: ``drop``, ``garble`` or ``late``.
        times: How many replies it spoils; None until cleared.
        after: How many matching replies it lets pass first.
        command: It acts only on replies to input that contains this text.
        delay_s: How late a reply comes.
        mode: How ``garble`` spoils: ``flip`` changes characters, ``cut`` loses the end.
    """

    kind: str
    times: int | None = 1
    after: int = 0
    command: str = ""
    delay_s: float = 0.0
    mode: str = "flip"

    def takes(self, heard: bytes) -> bool:
        """Count one reply; True if it is to be spoilt."""
        if self.times == 0 or self.command.encode() not in heard:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class Rules:
    """The faults of one instrument; times are in seconds of the world."""

    waiting: list[Rule] = field(default_factory=list[Rule])
    hung_until_s: float = float("-inf")
    away_until_s: float = float("-inf")

    def take(self, heard: bytes) -> Rule | None:
        """Give the rule that spoils this reply, if any."""
        rule = next((rule for rule in self.waiting if rule.takes(heard)), None)
        self.waiting = [rule for rule in self.waiting if rule.times != 0]
        return rule

    def clear(self) -> None:
        """Forget all."""
        self.waiting.clear()
        self.hung_until_s = self.away_until_s = float("-inf")


def garble(data: bytes, mode: str, generator: np.random.Generator) -> bytes:
    """Spoil a reply; at least one byte differs or is missing.

    Args:
        data: The reply, not empty.
        mode: ``flip`` or ``cut``, see :class:`Rule`.
        generator: Decides which bytes.
    """
    if mode == "cut":
        return data[: int(generator.integers(len(data)))]
    spoilt = np.frombuffer(data, dtype=np.uint8).copy()
    hit = generator.random(len(data)) < 0.1
    hit[int(generator.integers(len(data)))] = True
    spoilt[hit] ^= generator.integers(1, 256, size=int(hit.sum()), dtype=np.uint8)
    return spoilt.tobytes()
