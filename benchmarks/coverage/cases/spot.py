"""The size of the laser spot, on which every fluence rests."""

from benchmarks.coverage import Case, Observation, observed
from benchmarks.rendered_spot import measured_spot

__all__ = ["CASES"]

_ABOUT = """\
For each seed spots of 2.0 to 2.8 um (1/e² diameter, 0.85 to 1.15 times as wide along x as along y),
the camera's scale and the image of a point (0.14 +- 0.04 um) are drawn as well as they are known,
and four pictures of 5 ms of the light that the sample sends back are rendered, four in the dark.
`fluence` is the peak fluence of a power that a meter tells within 6 %. What counts as true: the
diameters and the fluence of the world. What limits it: the scale of the picture, here 2 % (a stage
with sensors tells it within 0.3 %, the nominal magnification within 5 %), and the image of a point.
"""


def _observe(seed: int) -> dict[str, Observation]:
    run = measured_spot(seed)
    return {
        "diameter_x": observed(run.size.x_um, run.diameters_um[0]),
        "diameter_y": observed(run.size.y_um, run.diameters_um[1]),
        "fluence": observed(run.fluence_uj_cm2, run.true_uj_cm2),
    }


CASES = (
    Case(
        name="spot-size",
        experiment="E06",
        quantities=("diameter_x", "diameter_y", "fluence"),
        observe=_observe,
        about=_ABOUT,
    ),
)
