"""Byte protocols on loopback: the server thread, sessions, serial speed, HTTP, fault injection."""

from labctl_sim.wire._faults import Faults, fault_signatures
from labctl_sim.wire._http import HttpRequest, HttpResponse, HttpSession
from labctl_sim.wire._leaving import Leaving
from labctl_sim.wire._line import on_one_line
from labctl_sim.wire._serial import SerialLine
from labctl_sim.wire._server import Server
from labctl_sim.wire._session import Opener, Send, Session, Timeline

__all__ = [
    "Faults",
    "HttpRequest",
    "HttpResponse",
    "HttpSession",
    "Leaving",
    "Opener",
    "Send",
    "SerialLine",
    "Server",
    "Session",
    "Timeline",
    "fault_signatures",
    "on_one_line",
]
