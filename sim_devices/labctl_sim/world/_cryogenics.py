"""Heat balance of a closed-cycle cryostat: one step of explicit Euler."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class PlantTruth:
    """Numbers of the cryostat; all assumed, tuned to 3 h from 300 to 4 K."""

    base_temperature_k: float = 3.2
    room_temperature_k: float = 295.0
    settle_time_s: float = 300.0
    """About how long a step of 10 K takes to settle."""
    ramp_k_per_s: float = 0.1
    heater_limit_w: float = 10.0
    cooling_power_w: float = 1.45
    cooling_knee_k: float = 20.0
    heat_capacity_j_k: float = 95.0
    """Of the platform when warm."""
    freezing_k: float = 115.0
    """Below it the heat capacity falls as T^2."""
    residual_heat_capacity_j_k: float = 1.0
    sample_mass_rel: float = 0.025
    sample_link_s: float = 12.0
    """Time constant of the weak link between platform and sample."""
    feedforward_rel: float = 0.9
    """How well the controller knows the cooling power."""
    heat_leak_w: float = 0.3
    """Into a platform at 0 K from the room, with the cooler off; in proportion to T_room - T."""
    stage1_base_k: float = 35.0
    """First stage of the cold head, with a platform below `stage1_knee_k`."""
    stage1_knee_k: float = 90.0
    stage1_follow_rel: float = 0.5
    """Rise of the first stage with the platform above the knee."""
    stage1_time_s: float = 1500.0
    stage2_lead_k: float = 0.2
    """The second stage below the base temperature, without load."""
    stage2_load_w_k: float = 0.667
    """Load that warms the second stage by 1 K."""
    stage2_time_s: float = 1200.0
    cold_pressure_pa: float = 1e-4
    """Of the chamber once the platform pumps, below `cryopump_k`."""
    cryopump_k: float = 20.0
    pumped_pressure_pa: float = 0.1
    """With the cooler on and a warmer platform."""
    outgassed_pressure_pa: float = 1.0
    """With the cooler off and a platform that still is cold."""
    vented_pressure_pa: float = 1e5
    """With the cooler off and a platform within 5 K of the room."""
    pressure_time_s: float = 300.0


@dataclass
class PlantState:
    """What the cryostat is doing now."""

    platform_k: float
    sample_k: float
    stage1_k: float
    stage2_k: float
    ramp_k: float
    integral_w: float
    heater_w: float
    log_pressure_pa: float
    cooler_on: bool

    @classmethod
    def at_rest(cls, truth: PlantTruth, kelvin: float, *, cooler_on: bool) -> "PlantState":
        """Balanced at a temperature."""
        held_w = cooling_power_w(truth, kelvin) if cooler_on else 0.0
        return cls(
            platform_k=kelvin,
            sample_k=kelvin,
            stage1_k=truth.stage1_base_k if cooler_on else kelvin,
            stage2_k=truth.base_temperature_k - truth.stage2_lead_k if cooler_on else kelvin,
            ramp_k=kelvin,
            integral_w=held_w * (1.0 - truth.feedforward_rel),
            heater_w=held_w,
            log_pressure_pa=math.log10(
                truth.cold_pressure_pa if cooler_on else truth.vented_pressure_pa
            ),
            cooler_on=cooler_on,
        )


def cooling_power_w(truth: PlantTruth, platform_k: float) -> float:
    """Net power taken from the platform: Q tanh((T - T_base) / T_knee), 0 at base."""
    return truth.cooling_power_w * math.tanh(
        (platform_k - truth.base_temperature_k) / truth.cooling_knee_k
    )


def heat_capacity_j_k(truth: PlantTruth, kelvin: float) -> float:
    """C(T) = C_warm T^2 / (T^2 + T_f^2) + C_0 of the platform."""
    square = kelvin * kelvin
    warm = truth.heat_capacity_j_k * square / (square + truth.freezing_k**2)
    return warm + truth.residual_heat_capacity_j_k


def step(state: PlantState, truth: PlantTruth, target_k: float | None, step_s: float) -> bool:
    """Advance ``state`` by ``step_s``; ``target_k`` None switches the heater off.

    Returns:
        Whether the state still moves; once it does not, further steps change nothing that
        any thermometer could see.
    """
    platform_k, sample_k = state.platform_k, state.sample_k
    stage1_k, stage2_k = state.stage1_k, state.stage2_k
    capacity = heat_capacity_j_k(truth, platform_k)
    cooling_w = _cooling_w(state, truth)
    _control(state, truth, target_k, capacity, cooling_w, step_s)
    link_w = capacity * truth.sample_mass_rel / truth.sample_link_s
    exchange_w = link_w * (sample_k - platform_k)
    state.platform_k += (state.heater_w - cooling_w + exchange_w) / capacity * step_s
    state.sample_k += (state.platform_k - sample_k) * step_s / truth.sample_link_s
    _follow(state, truth, step_s)
    return (
        abs(state.platform_k - platform_k) > 1e-9
        or abs(state.sample_k - sample_k) > 1e-9
        or abs(state.stage1_k - stage1_k) > 1e-6
        or abs(state.stage2_k - stage2_k) > 1e-6
    )


def _cooling_w(state: PlantState, truth: PlantTruth) -> float:
    if state.cooler_on:
        return cooling_power_w(truth, state.platform_k)
    room_k = truth.room_temperature_k
    return truth.heat_leak_w * (state.platform_k - room_k) / room_k


def _control(
    state: PlantState,
    truth: PlantTruth,
    target_k: float | None,
    capacity_j_k: float,
    cooling_w: float,
    step_s: float,
) -> None:
    """Ramped set point, gain-scheduled PI with feed-forward and a stop against wind-up."""
    if target_k is None:
        state.heater_w, state.integral_w, state.ramp_k = 0.0, 0.0, state.platform_k
        return
    # The ramp waits for a platform that cannot follow, else the integral would wind up.
    behind_k = math.copysign(1.0, target_k - state.ramp_k) * (state.ramp_k - state.platform_k)
    reach_k = truth.ramp_k_per_s * step_s if behind_k < 1.0 else 0.0
    ramp_k = min(max(target_k - state.ramp_k, -reach_k), reach_k)
    state.ramp_k += ramp_k
    error_k = state.ramp_k - state.platform_k
    response_s = truth.settle_time_s / 14.0
    gain = capacity_j_k / response_s
    cooling_w = max(cooling_w, 0.0)
    known_w = truth.feedforward_rel * cooling_w + capacity_j_k * ramp_k / step_s
    wanted_w = known_w + gain * error_k + state.integral_w
    state.heater_w = min(max(wanted_w, 0.0), truth.heater_limit_w)
    nearly_there = gain * abs(error_k) < 0.6
    if nearly_there and (wanted_w - state.heater_w) * error_k <= 0.0:
        state.integral_w += gain / (4.0 * response_s) * error_k * step_s
        reserve_w = 0.15 * cooling_w + 0.02
        state.integral_w = min(max(state.integral_w, -reserve_w), reserve_w)


def _follow(state: PlantState, truth: PlantTruth, step_s: float) -> None:
    """Cold-head stages and chamber pressure follow with their own time constants."""
    stage1_k = stage2_k = state.platform_k
    if state.cooler_on:
        warmer_k = max(state.platform_k - truth.stage1_knee_k, 0.0)
        stage1_k = truth.stage1_base_k + truth.stage1_follow_rel * warmer_k
        load_k = cooling_power_w(truth, state.platform_k) / truth.stage2_load_w_k
        stage2_k = truth.base_temperature_k - truth.stage2_lead_k + load_k
    state.stage1_k += (stage1_k - state.stage1_k) * step_s / truth.stage1_time_s
    state.stage2_k += (stage2_k - state.stage2_k) * step_s / truth.stage2_time_s
    log_pressure_pa = math.log10(_final_pressure_pa(state, truth))
    change = (log_pressure_pa - state.log_pressure_pa) * step_s / truth.pressure_time_s
    state.log_pressure_pa += change


def _final_pressure_pa(state: PlantState, truth: PlantTruth) -> float:
    if state.cooler_on:
        cold = state.platform_k < truth.cryopump_k
        return truth.cold_pressure_pa if cold else truth.pumped_pressure_pa
    warm = state.platform_k > truth.room_temperature_k - 5.0
    return truth.vented_pressure_pa if warm else truth.outgassed_pressure_pa
