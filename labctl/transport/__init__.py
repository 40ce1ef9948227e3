"""Transports: how bytes and library calls reach an instrument.

A transport carries requests to one instrument and its answers back, with deadlines in clock time.
It knows nothing of any protocol: codecs beside the drivers encode and decode.
"""

from labctl.transport._decode import Decoder, GarbledBytesError, RefusalError
from labctl.transport._http import HttpReply, HttpTransport
from labctl.transport._library_link import LibraryLink
from labctl.transport._pipe import PipePort, PipeSession, PipeTransport
from labctl.transport._port import Port
from labctl.transport._recorded_library import RecordedFunction, RecordedLibrary, pointed_to
from labctl.transport._recorder import FlightRecorder
from labctl.transport._request import Request
from labctl.transport._shared_line import SharedLine
from labctl.transport._tape import TapeTransport, read_tape
from labctl.transport._transport import Tap, Transport
from labctl.transport._visa import VisaTransport
from labctl.transport.isolated import Isolation, StandIn

__all__ = [
    "Decoder",
    "FlightRecorder",
    "GarbledBytesError",
    "HttpReply",
    "HttpTransport",
    "Isolation",
    "LibraryLink",
    "PipePort",
    "PipeSession",
    "PipeTransport",
    "Port",
    "RecordedFunction",
    "RecordedLibrary",
    "RefusalError",
    "Request",
    "SharedLine",
    "StandIn",
    "Tap",
    "TapeTransport",
    "Transport",
    "VisaTransport",
    "pointed_to",
    "read_tape",
]
