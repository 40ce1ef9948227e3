"""The page of the documentation that the photon benchmarks write."""

__all__ = ["PAGE"]

PAGE = """\
# Benchmarks of photons

Written by `make bench`; do not edit. What each figure means stands below the table.

**{date}**: {facts}.
{packages}.

| figure | value | target | |
|---|---|---|---|
{rows}

## What is measured

One core, CPU time, in rounds: each round measures every case once, ratios are taken within a
round, and the medians count. *memcpy* copies 128 MiB of records; other programs read the same
file in a process of their own.

- *A*: 10 MHz sync, a blinking emitter of 200 kcps. *B*: 80 MHz, 5 Mcps. *C*: 80 MHz, 100 kcps, so
  that a third of the records are overflows. *D*: 80 MHz, 40 Mcps, the most that a HydraHarp 400
  delivers. *T2*: steady light in ticks of 1 ps.
- *Live*: records in blocks of a FIFO to the file (synced at the end), decoded, and into decay,
  trace of 10 ms, and pulsed g2 of ±10 periods.
- *Live at 40 Mcps*: a model of a FIFO of 2 M records is filled at this rate while each block takes
  the CPU time that it takes. When it is an eighth full, the next block is kept from g2, which says
  what share of the photons it has seen; the raw records are always complete.
- *Fit*: exact Poisson likelihood of 1e5 counts with a measured response, background and shift,
  errors and goodness included; the response is new for every fit.
- *Change points*: a blinking emitter; the other side is the first pass of the search alone.
- *Simulated module*: photons of two detectors. *Records*: encoding alone. *From the emission on*:
  cascade, blinking, detectors with dead time and afterpulsing, and encoding.
"""
