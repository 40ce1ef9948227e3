"""All photon benchmarks; exit status 1 if a target is missed."""

import sys

from benchmarks.photons.run import main

sys.exit(main())
