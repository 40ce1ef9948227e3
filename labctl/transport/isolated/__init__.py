"""Vendor libraries in a process of their own: they can crash and hang there without harm.

What lives in the child is the one class of a driver that calls the library. Its methods take and
return plain values, so that only these travel; nothing of ctypes and no code does.
"""

from labctl.transport.isolated._process import Isolation, LibraryProcess, StandIn
from labctl.transport.isolated._proxy import opened_in

__all__ = ["Isolation", "LibraryProcess", "StandIn", "opened_in"]
