"""Stored runs for other programs and for people: CSV, netCDF, Photon-HDF5, a page to read.

What is written here can be made again at any time from the run, which stays as it is.
"""

from labctl.exports._csv import export_csv
from labctl.exports._netcdf import export_netcdf
from labctl.exports._photon_hdf5 import export_photon_hdf5
from labctl.exports._report import report_html

__all__ = ["export_csv", "export_netcdf", "export_photon_hdf5", "report_html"]
