"""What passive optics share: the mount that turns them, and the slide that they may stand on."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Generic, TypeVar

from pydantic import Field

from labctl.errors import RefusedError
from labctl.roles import Composite, Instrument, Rotator, Selector, Settings

__all__ = ["Mounted", "MountedSettings", "OnSlide", "OnSlideSettings"]


class MountedSettings(Settings):
    """Keys of everything that a rotation mount turns.

    Attributes:
        rotator: The mount.
    """

    rotator: Annotated[str, Field(min_length=1)]


class OnSlideSettings(MountedSettings):
    """Keys of what may also be taken out of the light.

    Attributes:
        slide: Selector that moves it in and out; empty: it always stands in the light.
        slide_position: Position of the selector in which it stands in the light.
    """

    slide: str = ""
    slide_position: Annotated[str, Field(min_length=1)] = "in"


S = TypeVar("S", bound=MountedSettings)
T = TypeVar("T", bound=OnSlideSettings)


class Mounted(Composite, Generic[S]):
    """Stands behind the role in a driver's bases; calls its mount for every turn."""

    references: ClassVar[Mapping[str, str]] = {"rotator": "rotator"}
    settings: S
    _mount: Rotator | None = None

    def part_names(self) -> Mapping[str, str]:
        """Return the mount, and the slide if it can have one."""
        return {key: getattr(self.settings, key) for key in self.references}

    def use_parts(self, parts: Mapping[str, Instrument]) -> None:
        """Take the mount."""
        self._mount = self._part(parts, "rotator", Rotator)

    def mount(self) -> Rotator:
        """Return the mount.

        Raises:
            RefusedError: The station has not handed it over.
        """
        if self._mount is None:
            raise RefusedError(self.name, "it has no rotation mount", "connect the set-up first")
        return self._mount

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


class OnSlide(Mounted[T]):
    """Something that turns, and that a selector may take out of the light."""

    references: ClassVar[Mapping[str, str]] = {"rotator": "rotator", "slide": "selector"}
    _slide: Selector | None = None

    def use_parts(self, parts: Mapping[str, Instrument]) -> None:
        """Take the mount, and the slide if there is one."""
        super().use_parts(parts)
        self._slide = self._part(parts, "slide", Selector) if "slide" in parts else None

    def stands_in_light(self) -> bool:
        """Ask whether it stands in the light.

        Raises:
            RefusedError: The slide has no such position as the set-up says.
        """
        if self._slide is None:
            return True
        wanted, known = self.settings.slide_position, self._slide.positions()
        if wanted not in known:
            what = f"{self._slide.name} has no position {wanted!r}"
            raise RefusedError(self.name, what, f"positions: {', '.join(known)}")
        return self._slide.read_position() == wanted
