"""What the engine costs, beside a bare loop and beside other programs: ``benchmarks/run.py``."""
