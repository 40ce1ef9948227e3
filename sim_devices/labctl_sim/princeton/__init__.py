"""Princeton Instruments: spectrographs and cameras."""
