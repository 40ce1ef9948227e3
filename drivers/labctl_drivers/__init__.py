"""Drivers: one module per instrument model, found by entry point."""
