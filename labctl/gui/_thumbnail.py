"""A small picture of a run: its last spectrum, decay or map, drawn without axes."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QPointF, Qt
from PyQt5.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from labctl.storage import RunStatus, read_run

__all__ = ["HEIGHT", "WIDTH", "Thumbnail", "thumbnail"]

WIDTH, HEIGHT = 96, 48
_NAMES = ("counts", "rate", "areas", "coincidences")


class Thumbnail(NamedTuple):
    """A picture of a run, what it is in words, and how it stands; None: it cannot be read."""

    image: QImage
    words: str
    status: RunStatus | None


def thumbnail(path: Path) -> Thumbnail:
    """Return the picture of a run; may be called on any thread.

    Raises:
        StorageError: The run cannot be read.
    """
    run = read_run(path)
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    image.fill(QColor("#15181d"))
    parts = [f"{name} {int(data.sizes['point'])}" for name, data in run.data.items()]
    for data in run.data.values():
        names = [name for name in _NAMES if name in data.variables]
        if names:
            _draw(image, np.asarray(data[names[0]].isel(point=-1).values))
            break
    when = path.name.partition("_")[0]
    words = f"{run.name}\n{when}  {run.status}: {', '.join(parts) or 'no points'}"
    return Thumbnail(image, words, run.status)


def _draw(image: QImage, values: NDArray[Any]) -> None:
    if values.ndim == 1 and len(values) > 1:
        _draw_curve(image, values.astype(np.float64))
    elif values.ndim == 2:
        _draw_image(image, values.astype(np.float64))


def _draw_curve(image: QImage, values: NDArray[np.float64]) -> None:
    step = max(1, len(values) // (2 * WIDTH))
    whole = len(values) - len(values) % step
    # The highest of neighbours: a sharp line must not vanish.
    top = np.nan_to_num(values[:whole].reshape(-1, step).max(axis=1))
    low, high = float(top.min()), float(top.max())
    span = high - low or 1.0
    x = np.linspace(1, WIDTH - 2, len(top))
    y = HEIGHT - 3 - (HEIGHT - 6) * (top - low) / span
    painter = QPainter(image)
    painter.setPen(QPen(QColor("#56b4e9")))
    painter.drawPolyline(
        QPolygonF([QPointF(float(a), float(b)) for a, b in zip(x, y, strict=True)])
    )
    painter.end()


def _draw_image(image: QImage, values: NDArray[np.float64]) -> None:
    values = np.nan_to_num(values)
    low, high = (float(v) for v in np.percentile(values, (1, 99)))
    grey = np.clip(255 * (values - low) / (high - low or 1.0), 0, 255).astype(np.uint8)
    rows, columns = grey.shape
    small = QImage(grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8)
    scaled = small.scaled(WIDTH, HEIGHT, Qt.AspectRatioMode.KeepAspectRatio)
    painter = QPainter(image)
    painter.drawImage((WIDTH - scaled.width()) // 2, (HEIGHT - scaled.height()) // 2, scaled)
    painter.end()
