"""Other programs, measured in an environment of their own by ``worker.py``."""
