"""Stations: the connected set-up, whose instruments play roles."""

from labctl.stations._build import build
from labctl.stations._owner import Owner
from labctl.stations._rescue import Rescued, rescue
from labctl.stations._station import SafeReport, Station
from labctl.stations._worker import Sentry, beside

__all__ = ["Owner", "Rescued", "SafeReport", "Sentry", "Station", "beside", "build", "rescue"]
