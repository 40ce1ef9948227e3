"""Simulated single-photon detectors: no data interface, only power and a gate."""
