"""One module per family of experiments, each with ``CASES``."""
