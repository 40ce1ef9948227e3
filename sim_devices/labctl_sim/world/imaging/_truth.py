"""The imaging camera and its optics as they really are."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class ImagingTruth:
    """A CMOS camera with 5.3 um pixels behind an objective of NA 0.8; numbers are assumed.

    Scale, rotation, handedness and the spot's place differ from what anybody would believe (the
    nominal magnification, none, none, the middle of the sensor), as they do in real set-ups.
    """

    um_per_pixel: float = 0.0921
    """On the sample."""
    rotation_deg: float = 1.8
    """From the stage's x to the picture's columns, counter-clockwise before mirroring."""
    mirrored: bool = True
    """Whether the picture is mirrored: stage y runs against the rows or along them."""
    laser_spot_x_px: float = 655.2
    """Column on which the optical axis, and with it the laser spot, falls."""
    laser_spot_y_px: float = 498.7
    psf_sd_um: float = 0.14
    """Standard deviation of a point's image in focus: 0.21 wavelengths / NA (Zhang, Zerubia,
    Olivo-Marin, Appl. Opt. 46, 1819 (2007)) at 530 nm."""
    focus_depth_um: float = 0.8
    """Out of focus by this much, a point's image is wider by sqrt(2)."""
    focus_offset_um: float = 0.15
    """Sharpest picture against best collection: the camera is not quite parfocal."""
    quantum_efficiency: float = 0.6
    throughput_rel: float = 0.05
    """Sample to camera: objective, beam splitter, tube lens."""
    electrons_per_count: float = 8.3
    """At gain 1."""
    read_noise_e: float = 9.0
    bias_counts: float = 6.4
    dark_e_s: float = 15.0
    """Uncooled, per pixel."""
    led_e_s: float = 4e4
    """Electrons per second and pixel of a white sample at the brightest place, LED at full."""
    led_sd_um: float = 42.0
    """Of the illumination's profile, which stays where it is when the sample moves."""
    led_centre_x_um: float = 6.0
    led_centre_y_um: float = -4.0
    reflection_rel: float = 0.05
    """Share of the laser light that the sample sends back."""
    long_pass_density: float = 6.0
    """At the laser line."""
    glow_e_s: float = 2e5
    """Luminescence of everything besides dots: electrons per s, um² and uJ/cm²."""
    room_light_e_s: float = 500.0
    """Per pixel with the ceiling lights on."""

    def pixels(self, x_um: float, y_um: float) -> tuple[float, float]:
        """Column and row of a place against the optical axis."""
        (xx, xy), (yx, yy) = self.matrix()
        column = self.laser_spot_x_px + xx * x_um + xy * y_um
        return column, self.laser_spot_y_px + yx * x_um + yy * y_um

    def matrix(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Pixels per um: rotation, then the mirror, which turns rows round."""
        angle = math.radians(self.rotation_deg)
        cos, sin = math.cos(angle) / self.um_per_pixel, math.sin(angle) / self.um_per_pixel
        sign = -1.0 if self.mirrored else 1.0
        return (cos, -sin), (sign * sin, sign * cos)

    def blur_px(self, focus_um: float) -> float:
        """Standard deviation of a point's image: s sqrt(1 + (z / depth)²), as for a beam."""
        out = (focus_um + self.focus_offset_um) / self.focus_depth_um
        return self.psf_sd_um * math.hypot(1.0, out) / self.um_per_pixel
