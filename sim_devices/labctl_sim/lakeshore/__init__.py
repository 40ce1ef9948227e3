"""Lake Shore instruments."""
