"""Simulated PicoQuant modules beneath their vendor libraries."""
