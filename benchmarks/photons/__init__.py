"""How fast time-tag records are read and correlated: ``python -m benchmarks.photons``."""
