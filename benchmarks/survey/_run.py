"""Surveys, one run per batch, in as many processes as wanted."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

from benchmarks.survey._judge import Verdict, judge
from benchmarks.survey._recipes import Wanted, calibrations, survey
from benchmarks.survey._samples import CONFIGS, central, crowded, sample_name, shipped
from benchmarks.survey._witness import witnessed
from labctl.errors import LabctlError
from labctl.host import LocalHost, RunRequest
from labctl.storage import read_run

__all__ = ["Job", "calibrate", "survey_all", "survey_batch"]


@dataclass(frozen=True)
class Job:
    """A survey of one batch.

    Attributes:
        batch: Name of the batch.
        dots: Largest number of dots that are gone to.
        crowd: Number of dots in the sample; 0: those of the shipped sample, the brightest first.
        patience: Share of the usual time for the picture in which dots are found.
    """

    batch: str
    dots: int
    crowd: int = 0
    patience: float = 1.0


def calibrate(folder: Path, batch: str) -> None:
    """Make the calibrations that all surveys in this folder rest on."""
    _carry_out(calibrations(), shipped(batch), folder, "calibrations")


def survey_batch(job: Job, folder: Path) -> Verdict:
    """Survey one batch and judge it."""
    began_s, cpu_s = perf_counter(), process_time()
    sample = crowded(job.batch, job.crowd, folder) if job.crowd else shipped(job.batch)
    name, dot = sample_name(sample), central(sample)
    wanted = Wanted(job.batch, name, dot, job.dots, not job.crowd, job.patience)
    with witnessed() as witness:
        journal = _carry_out(survey(wanted), sample, folder, job.batch)
    run = read_run(journal)
    return judge(job.batch, run, witness, perf_counter() - began_s, process_time() - cpu_s)


def survey_all(jobs: Sequence[Job], folder: Path, processes: int) -> list[Verdict]:
    """Calibrate, then survey the batches; the order of the answers is that of the jobs."""
    calibrate(folder, jobs[0].batch)
    work = partial(survey_batch, folder=folder)
    if processes == 1:
        return [work(job) for job in jobs]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, jobs))


def _carry_out(recipe: str, sample: Path, folder: Path, name: str) -> Path:
    path = folder / f"{name}_recipe.yaml"
    path.write_text(recipe, "utf-8")
    request = RunRequest(
        setup=CONFIGS / "setups" / "microscope.yaml",
        recipe=path,
        simulate=True,
        seed=0,
        speed=None,
        out=folder / "data",
        sample=sample,
    )
    report = LocalHost().run(request)
    if report.outcome.status != "complete":
        raise LabctlError(f"{name}: {report.outcome.status}: {report.outcome.reason}")
    return report.journal
