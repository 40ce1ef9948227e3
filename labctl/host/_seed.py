"""One number seeds a whole simulated night."""

import hashlib
from collections.abc import Callable

__all__ = ["seeder"]


def seeder(run_seed: int) -> Callable[..., int]:
    """Return ``seed(*labels)``: 128 bits that depend on the run's seed and the labels alone."""

    def seed(*labels: str | int) -> int:
        text = "\x1f".join([str(run_seed), *map(str, labels)])
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")

    return seed
