"""Simulated National Instruments cards beneath the NI-DAQmx library."""

from labctl_sim.ni.counter import CounterCard

__all__ = ["CounterCard"]
