"""Surveys of all batches on the simulated open-loop stage, judged by the world's truth."""
