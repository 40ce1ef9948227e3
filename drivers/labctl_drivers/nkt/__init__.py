"""NKT Photonics lasers."""
