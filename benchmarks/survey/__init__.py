"""Surveys of all batches on the simulated open-loop stage, judged by the world's truth."""

from benchmarks.survey._judge import Verdict, summary
from benchmarks.survey._run import Job, survey_all
from benchmarks.survey._samples import BATCHES

__all__ = ["BATCHES", "Job", "Verdict", "summary", "survey_all"]
