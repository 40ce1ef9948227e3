"""Stations: the connected set-up, whose instruments play roles."""

from labctl.stations._build import build
from labctl.stations._station import SafeReport, Station

__all__ = ["SafeReport", "Station", "build"]
