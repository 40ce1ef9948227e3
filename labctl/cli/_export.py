"""``labctl export`` and ``labctl report``: a run for other programs, and for people."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from labctl.cli._runs import one_run
from labctl.errors import ConfigError, Problem
from labctl.exports import export_csv, export_netcdf, export_photon_hdf5, report_html
from labctl.storage import Run, read_run

__all__ = ["export", "report"]


class Format(StrEnum):
    """What other programs read."""

    CSV = "csv"
    NETCDF = "netcdf"
    PHOTON_HDF5 = "photon-hdf5"


def export(
    run: Annotated[Path, typer.Argument(help="Run folder, journal or product.")],
    to: Annotated[
        Format, typer.Option(help="Tables; one file for xarray; raw records of photons.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; else one beside the data.")
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Write over what is there.")] = False,
) -> None:
    """Write a run as CSV, netCDF or Photon-HDF5; the last lines are the paths of the files."""
    found = read_run(one_run(run))
    folder = out or found.path.with_name(f"{found.path.stem}_{to.value}")
    _must_be_free(folder, overwrite=overwrite)
    for path in _export(found, to, folder):
        print(path)


def _export(run: Run, to: Format, folder: Path) -> list[Path]:
    if to is Format.CSV:
        return export_csv(run, folder)
    if to is Format.NETCDF:
        return [export_netcdf(run, folder / f"{run.path.stem}.nc")]
    return export_photon_hdf5(run, folder)


def report(
    run: Annotated[Path, typer.Argument(help="Run folder, journal or product.")],
    out: Annotated[
        Path | None, typer.Option(help="File to write; else one beside the data.")
    ] = None,
) -> None:
    """Write a page (HTML) of what a run was, found and used; the last line is its path."""
    found = read_run(one_run(run))
    path = out or found.path.with_name(f"{found.path.stem}_report.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_html(found), encoding="utf-8")
    print(path)


def _must_be_free(folder: Path, *, overwrite: bool) -> None:
    if not overwrite and folder.is_dir() and any(folder.iterdir()):
        hint = "name another folder with --out, or say --overwrite"
        raise ConfigError([Problem("this folder holds files already", str(folder), hint)])
