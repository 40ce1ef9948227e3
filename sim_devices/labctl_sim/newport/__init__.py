"""Newport instruments."""
