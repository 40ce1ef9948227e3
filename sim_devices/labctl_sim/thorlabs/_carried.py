"""What the positions of a selector carry, and what that does to the light."""

from collections.abc import Sequence

from labctl_sim.world import World

_WORDS = {"nothing": 1.0, "open": 1.0, "mirror": 0.0, "block": 0.0}
_PLACES = ("excitation", "detection", "nothing")


def transmissions(carries: str) -> list[float]:
    """Transmission of each position: optical densities or words between commas.

    Raises:
        ValueError: One of them is neither.
    """
    return [_transmission(entry.strip()) for entry in carries.split(",")]


def carried_problems(carries: str, acts_on: str, count: int | None) -> list[tuple[str, str]]:
    """Tell which of these truths cannot be: key, and what is wrong with a hint."""
    found: list[tuple[str, str]] = []
    if acts_on not in _PLACES:
        found.append(("acts_on", f"{acts_on!r} is no path; there are {', '.join(_PLACES)}"))
    try:
        number = len(transmissions(carries))
    except ValueError as error:
        return [*found, ("carries", str(error))]
    if count is not None and number != count:
        found.append(("carries", f"{number} entries for {count} positions; write one for each"))
    return found


class Carried:
    """Filters or mirrors that one part brings into one path.

    Args:
        name: The part.
        world: The world.
        carries: Optical density of each position, or ``nothing`` or ``mirror``.
        acts_on: ``excitation``, ``detection`` or ``nothing``.
        names: What the set-up calls the positions.
    """

    def __init__(
        self, name: str, world: World, *, carries: str, acts_on: str, names: Sequence[str]
    ) -> None:
        self._name, self._world, self._acts_on = name, world, acts_on
        self._transmissions = transmissions(carries)
        self._names = list(names)

    def stand(self, index: int) -> None:
        """A position (from 0) is in the light now."""
        self._world.places.set(self._name, self._names[index] if index < len(self._names) else "")
        self._let_pass(self._transmissions[index])

    def clip(self) -> None:
        """The part is on its way: its frame stands in the light."""
        self._world.places.set(self._name, "")
        self._let_pass(0.0)

    def _let_pass(self, transmission_rel: float) -> None:
        if self._acts_on == "excitation":
            self._world.table.attenuate(self._name, transmission_rel)
        elif self._acts_on == "detection":
            self._world.table.dim(self._name, transmission_rel)


def _transmission(entry: str) -> float:
    if entry in _WORDS:
        return _WORDS[entry]
    try:
        density = float(entry)
    except ValueError:
        known = ", ".join(_WORDS)
        message = f"{entry!r} is neither an optical density nor one of {known}"
        raise ValueError(message) from None
    if not 0.0 <= density < 20.0:
        message = f"{entry!r} is no optical density; write one from 0 to 20"
        raise ValueError(message)
    return 10.0**-density
