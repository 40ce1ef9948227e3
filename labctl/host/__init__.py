"""The host runs the engine, in this process or in a child, behind one interface."""

from labctl.host._calibrations import home_of_calibrations, not_in_force
from labctl.host._child import ChildHost
from labctl.host._connection import Connection, SimulatedBy, connect_station
from labctl.host._lab import CryostatHandle, Lab, ScriptRun, station
from labctl.host._lease import LeasedWorld, LeaseServer
from labctl.host._local import LocalHost, prepare, prepare_again
from labctl.host._past import open_past, resume_request
from labctl.host._request import RunRequest
from labctl.host._rig import Rig, Simulation, simulate
from labctl.host._runner import Plan, RunReport, open_run
from labctl.host._seed import seeder
from labctl.host._serve import serve, serve_virtual
from labctl.host._state import RunState

__all__ = [
    "ChildHost",
    "Connection",
    "CryostatHandle",
    "Lab",
    "LeaseServer",
    "LeasedWorld",
    "LocalHost",
    "Plan",
    "Rig",
    "RunReport",
    "RunRequest",
    "RunState",
    "ScriptRun",
    "SimulatedBy",
    "Simulation",
    "connect_station",
    "home_of_calibrations",
    "not_in_force",
    "open_past",
    "open_run",
    "prepare",
    "prepare_again",
    "resume_request",
    "seeder",
    "serve",
    "serve_virtual",
    "simulate",
    "station",
]
