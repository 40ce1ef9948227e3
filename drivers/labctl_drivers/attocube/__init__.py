"""attocube instruments."""
