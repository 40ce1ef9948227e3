"""All photon benchmarks; exit status 1 if a target is missed."""

import os
import sys

# One core, as the page says: waiting threads of numpy's library would count as CPU time.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from benchmarks.photons.run import main  # noqa: E402

sys.exit(main())
