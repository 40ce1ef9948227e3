"""National Instruments cards."""
