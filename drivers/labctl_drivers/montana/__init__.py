"""Montana Instruments cryostats: the legacy Cryostation and the s-series."""
