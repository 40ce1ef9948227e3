"""Attenuators learn from the set-up what a power on the sample means as a fluence."""

from labctl.optics import Excitation
from labctl.roles import Attenuator, Laser
from labctl.setup import Setup
from labctl.stations._station import Station

__all__ = ["attach_excitation"]


def attach_excitation(station: Station, setup: Setup) -> None:
    """Hand spot and repetition rate to every attenuator; a continuous laser has no fluence.

    Where one laser tells its rate itself, that counts, because it may have been scanned.
    """
    laser = setup.file.laser
    if laser is None or laser.rep_rate_hz is None:
        return
    diameter_um, error_um = laser.spot_1e2_diameter_um, laser.spot_uncertainty_um
    error_rel = None if error_um is None else error_um / diameter_um
    excitation = Excitation(laser.rep_rate_hz, diameter_um, error_rel)
    lasers = [found for name in station if isinstance(found := station[name], Laser)]
    present_hz = lasers[0].rep_rate_hz if len(lasers) == 1 else lambda: None
    for device in (station[name] for name in station):
        if isinstance(device, Attenuator):
            device.use_excitation(excitation, present_hz)
