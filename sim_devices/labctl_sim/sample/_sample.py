"""The sample file as a whole."""

from typing import Literal

from pydantic import Field

from labctl_sim.sample._base import Block
from labctl_sim.sample._dot import Dot
from labctl_sim.sample._laws import Laws


class Sample(Block):
    """A batch of dots and the laws of its material."""

    schema_version: Literal[1]
    name: str = Field(min_length=1)
    composition: str = Field(min_length=1)
    """Chemical formula, for people; the physics stands in ``laws``."""
    laws: Laws = Field(default_factory=Laws)
    dots: dict[str, Dot] = Field(min_length=1)
    """Dots by name."""

    def dot(self, name: str) -> Dot:
        """The dot of this name.

        Raises:
            KeyError: the sample has no such dot; the message lists those it has.
        """
        if name not in self.dots:
            raise KeyError(f"no dot {name!r} in sample {self.name!r}; it has {list(self.dots)}")
        return self.dots[name]
