"""What a person does with their hands."""

from labctl_sim.manual.lamp import CalibrationLamp, LampSwitch
from labctl_sim.manual.selector import ManualSelector, SelectorHand

__all__ = ["CalibrationLamp", "LampSwitch", "ManualSelector", "SelectorHand"]
