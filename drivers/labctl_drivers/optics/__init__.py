"""Passive optics that other instruments of the set-up turn, and move in and out."""
