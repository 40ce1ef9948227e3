"""What a person does with their hands."""

from labctl_sim.manual.lamp import CalibrationLamp, LampSwitch

__all__ = ["CalibrationLamp", "LampSwitch"]
