"""Light paths that could never be taken, because their filters let too much laser light through."""

from collections.abc import Iterator, Mapping

from labctl.optics import Blocking

__all__ = ["unblocked_paths"]


def unblocked_paths(
    blocking: Blocking | None, paths: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with light paths as far as it shows without any instrument.

    Filters that an instrument turns, and those that depend on parts which a path leaves alone,
    are judged when the path is taken.

    Yields:
        Name of the path, what is wrong, and how to mend it.
    """
    if blocking is None:
        return
    for name, positions in paths.items():
        standing = [f for f in blocking.filters if f.is_in(positions) is not False]
        known = {f.name: f.density for f in standing if f.density is not None}
        named = dict.fromkeys(one for f in blocking.filters for one in f.detectors)
        # What stands in front of the detector that is protected best.
        total = max(
            sum(known.get(f.name, 0.0) for f in standing if f.protects(one))
            for one in [*named, *([] if named else [""])]
        )
        needed, _ = blocking.needed(name, ())
        if len(known) == len(standing) and total < needed:
            each = ", ".join(f"{f} {density:g}" for f, density in known.items()) or "no filter"
            what = f"light path {name!r} stops an optical density of {total:g} ({each})"
            hint = f"it needs {needed:g}; add filters, or write what it may have under 'for'"
            yield name, f"{what} at the laser line, which is too little", hint
