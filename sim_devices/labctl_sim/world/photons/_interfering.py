"""Photons of successive pulses that meet on a splitter (Hong, Ou, Mandel 1987).

Each photon takes one of two arms. Two exciton photons that come to the second splitter by different
arms in the same pulse slot interfere. Two-level emitters with decay time T1 and pure dephasing
1/T2 - 1/(2 T1) have first-order coherences whose product, at detection times t and t' after the
later one of both excitations, is exp(-2 gamma |t - t'|) of the product of the intensities (Kaer,
Bylander): behind a splitter R:T they leave by different ports with probability
R^2 + T^2 - 2 R T exp(-2 gamma |t - t'|). Before the later excitation nothing interferes. The mean
over all times is T2 / (2 T1) exp(-|delay| / T1).
"""

import math
from dataclasses import replace
from typing import NamedTuple

from labctl_sim.world._interferometer import Interferometer
from labctl_sim.world.photons._jit import inlined
from labctl_sim.world.photons._models import Paths, PulseModel
from labctl_sim.world.photons._random import State, draw_unit


class Traveller(NamedTuple):
    """A photon on its way to the second splitter."""

    slot_ps: int
    """Time of the pulse slot in which it comes; -1: there is none."""
    from_ps: float
    """Since then: when its excitation would have been there."""
    at_ps: float
    """Since then: when it is there."""


def equalized(seen: list[float]) -> tuple[list[float], tuple[float, float]]:
    """Split probabilities of detection at both ports into a common one and what remains.

    Args:
        seen: Probability that a photon that leaves by a port is detected there.

    Returns:
        Probabilities by detector for `cascade`, whose sum is the larger of both; and the share
        of the photons of each port that is kept.
    """
    most = max(seen[:2], default=0.0)
    halves = [0.5 * most] * min(len(seen), 2) + [0.0] * (len(seen) - 2)
    keep = [seen[port] / most if port < len(seen) and most > 0.0 else 0.0 for port in (0, 1)]
    return halves, (keep[0], keep[1])


def interfering(
    model: PulseModel,
    device: Interferometer,
    dephasing_per_ps: float,
    keep_last: tuple[float, float] = (1.0, 1.0),
    keep_others: tuple[float, float] = (1.0, 1.0),
) -> PulseModel:
    """Send the photons of a cascade through an interferometer.

    Args:
        model: A cascade whose probabilities of detection do not depend on the port.
        device: The interferometer.
        dephasing_per_ps: Pure dephasing, 1/T2 - 1/(2 T1).
        keep_last: Share of exciton photons that is detected at each port.
        keep_others: The same for the other photons.
    """
    short, long = device.open_rel
    paths = Paths(
        short,
        short + long,
        device.transmitted_rel,
        device.delay_ps,
        math.inf if device.crossed else dephasing_per_ps,
        keep_last,
        keep_others,
    )
    total = math.fsum(model.mean)
    means = [total * port * kept for port, kept in zip(device.ports_rel, keep_last, strict=True)]
    mean = (*means, *(0.0 for _ in model.mean[2:]))[: len(model.mean)]
    return replace(model, paths=paths, mean=mean)


@inlined
def single(state: State, transmitted: float, long_arm: int) -> tuple[int, State]:
    """Port of a photon that meets no other one."""
    share, state = draw_unit(state)
    # Transmitted, a photon of the short arm comes to port 0, one of the long arm to port 1.
    return (long_arm if share <= transmitted else 1 - long_arm), state


@inlined
def meeting(
    state: State,
    transmitted: float,
    dephasing_per_ps: float,
    short_from_ps: float,
    short_ps: float,
    long_from_ps: float,
    long_ps: float,
) -> tuple[int, int, State]:
    """Ports of two photons of different arms that come in the same slot.

    Args:
        state: Of the random numbers.
        transmitted: T of the splitter.
        dephasing_per_ps: Pure dephasing; infinite for crossed polarizations.
        short_from_ps: When the excitation of the short arm's photon came, seen at the splitter.
        short_ps: When the photon comes.
        long_from_ps: The same for the long arm.
        long_ps: The same for the long arm.
    """
    turned = 1.0 - transmitted
    alike = 0.0
    if min(short_ps, long_ps) >= max(short_from_ps, long_from_ps) and dephasing_per_ps < 1e9:
        alike = math.exp(-2.0 * dephasing_per_ps * abs(short_ps - long_ps))
    straight, crossed = transmitted * transmitted, turned * turned
    apart = straight + crossed - 2.0 * transmitted * turned * alike
    share, state = draw_unit(state)
    if share <= apart:
        through = share * (straight + crossed) <= straight * apart
        return (0, 1, state) if through else (1, 0, state)
    port = int(share - apart > 0.5 * (1.0 - apart))
    return port, port, state
