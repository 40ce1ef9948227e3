"""Finding dots: spots of the size of the diffraction limit in a picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._image_noise import ImageNoise
from labctl.analysis._measured import Measured
from labctl.analysis._spot_fit import FittedSpot, fit_spots, residual_of
from labctl.errors import AnalysisError

__all__ = ["Spot", "find_spots", "spot_threshold"]

Image = NDArray[np.float64]

_WINDOW_SDS = 4.0
_EDGE_SDS = 2.0
_GROUP_SDS = 5.0
_SHINES_SDS = 2.0
_ROUNDS = 4
_HOT_SIGMAS = 8.0
_CLOSEST_SDS = 1.2
"""Two maxima of noise upon one spot are never nearer to it than this."""


@dataclass(frozen=True)
class Spot:
    """A spot.

    Attributes:
        x_px: Column of its centre, pixels; 0 is the middle of the first pixel.
        y_px: Row of its centre, pixels.
        counts: Light of the whole spot above its surroundings, counts.
        snr: Height of the matched filter over its noise, without the spot's own.
        confidence: Probability that noise alone makes no such spot anywhere in the picture.
        reduced_chi2: Of the fit in its window, with its neighbours.
    """

    x_px: Measured
    y_px: Measured
    counts: Measured
    snr: float
    confidence: float
    reduced_chi2: float


def _expected_false(snr: float, pixels: int, psf_sd_px: float) -> float:
    """Return the expected number of maxima of filtered noise above ``snr``.

    For smooth Gaussian noise with the second spectral moment m it is A m z exp(-z²/2) / (2 pi)^1.5
    (Adler, The Geometry of Random Fields, 1981); white noise behind a Gaussian filter of standard
    deviation s has m = 1 / (2 s²).
    """
    density = 1.0 / (2.0 * psf_sd_px**2) / (2.0 * math.pi) ** 1.5
    return pixels * density * snr * math.exp(-0.5 * snr * snr)


def spot_threshold(pixels: int, psf_sd_px: float, false_spots: float) -> float:
    """Return the height over noise that so many false spots exceed in a picture, on the average.

    Args:
        pixels: Number of pixels of the picture.
        psf_sd_px: Standard deviation of a spot, pixels.
        false_spots: Expected number of false spots in the picture.
    """
    low, high = 1.0, 40.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (
            (middle, high)
            if _expected_false(middle, pixels, psf_sd_px) > false_spots
            else (low, middle)
        )
    return high


def find_spots(
    image: Image, noise: ImageNoise, psf_sd_px: float, *, false_spots: float = 0.01
) -> list[Spot]:
    """Find spots, the brightest first.

    A matched filter (Gaussian without its mean, so that an even background drops out) marks the
    maxima above a threshold, which follows from the noise and the number of false spots that is
    tolerated. Neighbours are fitted together as Gaussians integrated over pixels, by weighted
    least squares; what then stands out of the residual is added and everything fitted once more,
    so that two spots more than one full width apart are told apart. Pixels that stand alone (hot
    ones, cosmic rays) are replaced by their neighbours first; what lies at the very edge is left
    out.

    Args:
        image: Counts, shape (y, x): the mean of frames.
        noise: Of the picture.
        psf_sd_px: Standard deviation of a spot in focus, pixels; full width over 2.355.
        false_spots: Expected number of false spots in the whole picture.

    Raises:
        AnalysisError: The picture is too small for spots of this size.
    """
    radius = math.ceil(_WINDOW_SDS * psf_sd_px)
    if image.ndim != 2 or min(image.shape) < 4 * radius:
        message = f"a picture of shape {image.shape} is too small for spots of {psf_sd_px:g} px"
        raise AnalysisError(message)
    threshold = spot_threshold(image.size, psf_sd_px, false_spots)
    background = _background(image, radius)
    variance = noise.variance(background - float(np.median(background)))
    light = _without_hot_pixels(image - background, variance, psf_sd_px)
    found: list[FittedSpot] = []
    for _ in range(_ROUNDS):
        rest = residual_of(light, found, psf_sd_px)
        fresh = _maxima(rest, variance, psf_sd_px, radius, threshold, found)
        if not fresh:
            break
        starts = [(spot.y, spot.x) for spot in found] + fresh
        found = []
        # Whatever shines into a window of a spot is fitted with it, or it would draw it away.
        for group in _groups(starts, radius + _SHINES_SDS * psf_sd_px):
            found += _fitted(light, variance, noise, group, psf_sd_px, radius, threshold)
    kept = [spot for spot in found if _is_inside(spot, image.shape, psf_sd_px)]
    spots = [_spot(spot, image.size, psf_sd_px) for spot in kept]
    return sorted(spots, key=lambda spot: -spot.counts.value)


def _fitted(
    light: Image,
    variance: Image,
    noise: ImageNoise,
    group: list[tuple[float, float]],
    psf_sd_px: float,
    radius: int,
    threshold: float,
) -> list[FittedSpot]:
    """Fit a group; members that turn out to be nothing, or part of another, are left out."""
    while group:
        spots = fit_spots(light, variance, noise, group, psf_sd_px, radius)
        kept: list[FittedSpot] = []
        for spot in sorted(spots, key=lambda spot: -spot.counts):
            apart = [math.hypot(spot.y - other.y, spot.x - other.x) for other in kept]
            if spot.snr >= threshold and min(apart, default=math.inf) > _CLOSEST_SDS * psf_sd_px:
                kept.append(spot)
        if len(kept) == len(group):
            return kept
        group = [(spot.y, spot.x) for spot in kept]
    return []


def _without_hot_pixels(light: Image, variance: Image, psf_sd_px: float) -> Image:
    """Replace pixels that stand out further above their neighbours than any spot's do."""
    neighbours = sum(
        np.roll(light, (dy, dx), (0, 1)) for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))
    )
    mean = np.asarray(neighbours) / 4.0
    sharpest = math.exp(0.5 / psf_sd_px**2)
    excess = light - 1.5 * sharpest * np.maximum(mean, 0.0)
    # Shot noise of the neighbours is small beside an excess that is a share of their light.
    return np.where(excess > _HOT_SIGMAS * np.sqrt(variance), mean, light)


def _background(image: Image, radius: int) -> Image:
    """Return what changes slowly: medians of blocks, interpolated between their middles."""
    size = 6 * radius
    rows, columns = (max(1, round(length / size)) for length in image.shape)
    blocks = np.array(
        [
            [float(np.median(part)) for part in np.array_split(row, columns, axis=1)]
            for row in np.array_split(image, rows)
        ]
    )
    along = _interpolated(blocks, image.shape[1])
    return _interpolated(along.T, image.shape[0]).T


def _interpolated(blocks: Image, length: int) -> Image:
    """Spread each row of values that belong to the middles of blocks over so many pixels."""
    number = blocks.shape[1]
    at, middles = _middles(length, number), np.arange(number, dtype=np.float64)
    return np.stack([np.asarray(np.interp(at, middles, row), np.float64) for row in blocks])


def _middles(length: int, blocks: int) -> NDArray[np.float64]:
    """Return where each pixel lies on a scale on which the middles of blocks are 0, 1, 2 ..."""
    return (np.arange(length, dtype=np.float64) + 0.5) * blocks / length - 0.5


def _kernel(psf_sd_px: float, radius: int) -> Image:
    offset = np.arange(-radius, radius + 1, dtype=np.float64)
    square = offset[:, None] ** 2 + offset[None, :] ** 2
    gauss = np.exp(-0.5 * square / psf_sd_px**2)
    inside = square <= radius**2
    kernel = np.where(inside, gauss - gauss[inside].mean(), 0.0)
    return kernel / float(np.sum(kernel * gauss))


def _filtered(image: Image, kernel: Image) -> Image:
    """Correlate with a symmetric kernel; the picture goes on mirrored at its edges."""
    radius = kernel.shape[0] // 2
    padded = np.pad(image, radius, mode="reflect")
    shape = [length + 2 * radius for length in padded.shape]
    product = np.fft.rfft2(padded, shape) * np.fft.rfft2(kernel, shape)
    full = np.fft.irfft2(product, shape)
    rows, columns = image.shape
    return full[2 * radius : 2 * radius + rows, 2 * radius : 2 * radius + columns]


def _maxima(
    rest: Image,
    variance: Image,
    psf_sd_px: float,
    radius: int,
    threshold: float,
    known: list[FittedSpot],
) -> list[tuple[float, float]]:
    """Return rows and columns of maxima over the threshold; beside a known spot only one each."""
    kernel = _kernel(psf_sd_px, radius)
    height = _filtered(rest, kernel)
    sigma = np.sqrt(np.maximum(_filtered(variance, kernel**2), 1e-30))
    for spot in known:
        _discount(height, sigma, spot, kernel, psf_sd_px)
    snr = height / sigma
    inner = snr[1:-1, 1:-1]
    top = inner > threshold
    for dy in (0, 1, 2):
        for dx in (0, 1, 2):
            if (dy, dx) != (1, 1):
                rows, columns = inner.shape
                top &= inner >= snr[dy : dy + rows, dx : dx + columns]
    places = np.argwhere(top) + 1
    places = places[np.argsort(-snr[places[:, 0], places[:, 1]])]
    chosen: list[tuple[float, float]] = []
    for y, x in places:
        near = [p for p in chosen if math.hypot(p[0] - y, p[1] - x) < _GROUP_SDS * psf_sd_px]
        beside = any(math.hypot(spot.y - y, spot.x - x) < _GROUP_SDS * psf_sd_px for spot in known)
        # Both flanks of a spot that is really two stand out of the residual; one is enough.
        apart = _GROUP_SDS if beside else _CLOSEST_SDS
        if all(math.hypot(p[0] - y, p[1] - x) >= apart * psf_sd_px for p in near):
            chosen.append((float(y), float(x)))
    return chosen


def _discount(
    height: Image, sigma: Image, spot: FittedSpot, kernel: Image, psf_sd_px: float
) -> None:
    """Let the shot noise of a spot, and 2 % of its light, be no spot beside it."""
    reach = kernel.shape[0] // 2 * 2
    rows = slice(max(round(spot.y) - reach, 0), round(spot.y) + reach + 1)
    columns = slice(max(round(spot.x) - reach, 0), round(spot.x) + reach + 1)
    y, x = np.mgrid[rows, columns][:, : height.shape[0], : height.shape[1]]
    part = height[rows, columns]
    square = (y[: part.shape[0], : part.shape[1]] - spot.y) ** 2
    square = square + (x[: part.shape[0], : part.shape[1]] - spot.x) ** 2
    shape = np.exp(-0.25 * square / psf_sd_px**2)
    sigma[rows, columns] = np.sqrt(
        sigma[rows, columns] ** 2 + spot.filter_variance * shape + (0.02 * spot.height * shape) ** 2
    )


def _groups(places: list[tuple[float, float]], reach: float) -> list[list[tuple[float, float]]]:
    """Return places that are connected by steps of at most ``reach``, together."""
    left = list(places)
    groups: list[list[tuple[float, float]]] = []
    while left:
        group = [left.pop()]
        for member in group:
            near = [p for p in left if math.hypot(p[0] - member[0], p[1] - member[1]) < reach]
            group += near
            left = [p for p in left if p not in near]
        groups.append(group)
    return groups


def _is_inside(spot: FittedSpot, shape: tuple[int, ...], psf_sd_px: float) -> bool:
    margin = _EDGE_SDS * psf_sd_px
    return all(
        margin <= at <= length - 1 - margin
        for at, length in zip((spot.y, spot.x), shape, strict=True)
    )


def _spot(spot: FittedSpot, pixels: int, psf_sd_px: float) -> Spot:
    return Spot(
        x_px=Measured(spot.x, spot.x_error),
        y_px=Measured(spot.y, spot.y_error),
        counts=Measured(spot.counts, spot.counts_error),
        snr=spot.snr,
        confidence=math.exp(-_expected_false(spot.snr, pixels, psf_sd_px)),
        reduced_chi2=spot.reduced_chi2,
    )
