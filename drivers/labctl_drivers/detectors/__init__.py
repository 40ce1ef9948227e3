"""Single-photon detectors: no data interface, only power and pulses."""
