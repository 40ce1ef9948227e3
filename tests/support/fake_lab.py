"""Instruments without any wire, and a session on them: fast, in virtual time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from labctl.clock import VirtualClock
from labctl.events import Event
from labctl.measurements import Array, Context, Measurement
from labctl.roles import (
    Camera,
    CameraSettings,
    Cryostat,
    Frame,
    Grating,
    Identity,
    Lamp,
    Limits,
    Roi,
    Shutter,
    Spectrograph,
)
from labctl.sequencer import Announcer, Book, Control, Session
from labctl.stations import Station
from labctl.storage import JournalWriter


@dataclass
class Troubles:
    """What an instrument does wrong: method name → errors that its next calls raise."""

    waiting: dict[str, list[BaseException]] = field(default_factory=dict[str, list[BaseException]])

    def add(self, method: str, *errors: BaseException) -> None:
        self.waiting.setdefault(method, []).extend(errors)

    def meet(self, method: str) -> None:
        if self.waiting.get(method):
            raise self.waiting[method].pop(0)


class _Fake:
    """Life cycle and diary that all fakes share."""

    diary: list[str]
    troubles: Troubles

    def _enter(self, method: str) -> None:
        self.diary.append(method)
        self.troubles.meet(method)


class FakeShutter(_Fake, Shutter):
    interface = "hand"

    def __init__(self, name: str = "shutter", diary: list[str] | None = None) -> None:
        super().__init__(name)
        self.diary = diary if diary is not None else []
        self.troubles = Troubles()
        self.position = False
        self.stuck = False
        self.meanwhile: Callable[[], None] = lambda: None

    def identity(self) -> Identity:
        self._enter(f"{self.name}.identity")
        return Identity("fake", "shutter")

    def snapshot(self) -> dict[str, Any]:
        self._enter(f"{self.name}.snapshot")
        return {"open": self.position}

    def flush(self) -> None:
        self._enter(f"{self.name}.flush")

    def _open(self) -> None:
        self._enter(f"{self.name}.connect")

    def _close(self) -> None:
        self._enter(f"{self.name}.disconnect")

    def _write_open(self, wanted: bool) -> None:
        self._enter(f"{self.name}.open" if wanted else f"{self.name}.close")
        self.meanwhile()
        if not self.stuck:
            self.position = wanted

    def is_open(self) -> bool:
        return self.position


class FakeLamp(_Fake, Lamp):
    interface = "hand"

    def __init__(self, name: str = "lamp", diary: list[str] | None = None) -> None:
        super().__init__(name)
        self.diary = diary if diary is not None else []
        self.troubles = Troubles()
        self.element = ""

    def identity(self) -> Identity:
        return Identity("fake", "lamp")

    def snapshot(self) -> dict[str, Any]:
        return {"lit": self.element}

    def switch_on(self, element: str) -> None:
        self._enter(f"{self.name}.on")
        self.element = element

    def switch_off(self) -> None:
        self._enter(f"{self.name}.off")
        self.element = ""

    def lit(self) -> str:
        return self.element

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


class FakeCryostat(_Fake, Cryostat):
    """Follows ``course(target, seconds since the change)``; at once by default."""

    interface = "hand"

    def __init__(
        self,
        clock: VirtualClock,
        name: str = "cryostat",
        limits: Mapping[str, Limits] | None = None,
    ) -> None:
        super().__init__(name, limits)
        self.diary, self.troubles = [], Troubles()
        self.clock = clock
        self.target, self.changed_s = 4.0, 0.0
        self.course: Callable[[float, float], float] = lambda target, _: target

    def identity(self) -> Identity:
        return Identity("fake", "cryostat")

    def snapshot(self) -> dict[str, Any]:
        self._enter("snapshot")
        return {"target_k": self.target}

    def set_point_k(self) -> float:
        return self.target

    def read_temperature(self) -> float:
        self._enter("read")
        return self.course(self.target, self.clock.now() - self.changed_s)

    def read_platform_temperature(self) -> float:
        return self.read_temperature()

    def read_stability(self) -> float:
        return 0.0

    def alarm(self) -> str:
        return ""

    def _write_set_point_k(self, kelvin: float) -> None:
        self._enter(f"set {kelvin:g}")
        self.target, self.changed_s = kelvin, self.clock.now()

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


class FakeSpectrograph(_Fake, Spectrograph):
    interface = "hand"

    def __init__(self, clock: VirtualClock, name: str = "spectrograph") -> None:
        super().__init__(name)
        self.diary, self.troubles = [], Troubles()
        self.clock = clock
        self.wavelength, self.until_s = 0.0, 0.0

    def identity(self) -> Identity:
        return Identity("fake", "SP-2500")

    def snapshot(self) -> dict[str, Any]:
        return {"wavelength_nm": self.wavelength}

    def is_moving(self) -> bool:
        return self.clock.now() < self.until_s

    def read_wavelength(self) -> float:
        self._enter("read")
        return self.wavelength

    def read_grating(self) -> int:
        return 1

    def read_exit(self) -> str:
        return "front"

    def gratings(self) -> Mapping[int, Grating]:
        return {1: Grating(300.0, 500.0)}

    def _write_wavelength_nm(self, nanometers: float) -> None:
        self._enter(f"go {nanometers:g}")
        self.wavelength, self.until_s = nanometers, self.clock.now() + 3.0

    def _write_grating(self, number: int) -> None:
        raise AssertionError(number)

    def _write_exit(self, exit_name: str) -> None:
        raise AssertionError(exit_name)

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


class FakeCamera(_Fake, Camera):
    """A sensor of 8 x 4 pixels; ``light_hz`` counts per second and pixel at gain 1.

    The frames whose numbers, from 0 in its life, are in ``to_lose`` are lost.
    """

    interface = "hand"
    OFFSET = 500.0

    def __init__(
        self, clock: VirtualClock, name: str = "camera", diary: list[str] | None = None
    ) -> None:
        super().__init__(name)
        self.diary = diary if diary is not None else []
        self.troubles = Troubles()
        self.clock = clock
        self.light_hz = 100.0
        self.uniform_hz = 0.0
        self.step_s = 0.001
        self.locked, self.enabled, self.gain = True, True, 1
        self.exposure_s = 1.0
        self.wanted = self.taken = 0
        self.began_s = 0.0
        self.running = False
        self.to_lose: set[int] = set()
        self.lost = self.number = 0

    def identity(self) -> Identity:
        return Identity("fake", "camera")

    def snapshot(self) -> dict[str, Any]:
        return {"gain": self.gain}

    def flush(self) -> None:
        self._enter(f"{self.name}.flush")

    def sensor_size(self) -> tuple[int, int]:
        return 8, 4

    def pixel_pitch_um(self) -> float:
        return 16.0

    def full_scale_counts(self) -> int:
        return 65535

    def frames_ready(self) -> int:
        passed_s = self.clock.now() - self.began_s
        done = min(self.wanted, int(passed_s / self.exposure_s + 1e-9))
        return done - self.taken if self.running else 0

    def acquiring(self) -> bool:
        return self.running and self.taken < self.wanted

    def trip(self) -> None:
        """Latch the guard, as a bright frame would."""
        self._tripped = "too much light"

    def stop(self) -> None:
        self._enter(f"{self.name}.stop")
        self.running = False

    def lost_frames(self) -> int:
        return self.lost

    def frame_time_s(self) -> float:
        return self.exposure_s

    def read_sensor_temperature(self) -> float:
        return -55.0 if self.locked else -20.0

    def sensor_locked(self) -> bool:
        return self.locked

    def set_sensor_target_c(self, celsius: float) -> None:
        raise AssertionError(celsius)

    def set_shutter(self, wanted: bool) -> None:
        self._enter(f"{self.name}.{'enable' if wanted else 'shut'}")
        self.enabled = wanted

    def shutter_enabled(self) -> bool:
        return self.enabled

    def quietest_mhz(self, quality: str) -> float:
        return 0.1

    def read_em_gain(self) -> int:
        return self.gain

    def _write_settings(self, settings: CameraSettings) -> CameraSettings:
        self._enter(f"{self.name}.gain {settings.em_gain}")
        self.gain = settings.em_gain
        self.exposure_s = round(round(settings.exposure_s / self.step_s) * self.step_s, 9)
        self.troubles.meet("confirm")
        return replace(settings, exposure_s=self.exposure_s)

    def _start(self, frames: int) -> None:
        self._enter(f"{self.name}.start {frames}")
        self.wanted, self.taken, self.began_s, self.running = frames, 0, self.clock.now(), True
        self.lost = 0
        for number in range(1, frames + 1):
            # Something happens when a frame is there, so that who waits looks again.
            self.clock.schedule(self.began_s + number * self.exposure_s, lambda: None)

    def _read_frames(self) -> list[Frame]:
        ready = self.frames_ready()
        self.taken += ready
        numbers = range(self.number, self.number + ready)
        self.number += ready
        whole = [self._frame() for number in numbers if number not in self.to_lose]
        self.lost += ready - len(whole)
        return whole

    def _frame(self) -> Frame:
        shape = (4, 8) if self.settings is None else self.settings.roi.shape
        picture = np.full(shape, self.OFFSET + self.uniform_hz * self.exposure_s * self.gain)
        picture[0, 0] += self.light_hz * self.exposure_s * self.gain
        return np.minimum(picture, self.full_scale_counts()).astype(np.uint16)

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


ROI = Roi(0, 8, 0, 4)


def settings_of(gain: int = 1, exposure_s: float = 1.0) -> CameraSettings:
    return CameraSettings(exposure_s, ROI, gain, "electron_multiplied", 10.0, 2)


class Look(Measurement):
    """Waits and stores one number; ``works`` lets a test do something meanwhile."""

    kind: ClassVar[str] = "look"
    works: ClassVar[Callable[[Context], None] | None] = None

    seconds: float = 1.0

    def estimate_s(self) -> float:
        return self.seconds

    def run(self, context: Context) -> None:
        end_s = context.clock.now() + self.seconds
        context.clock.schedule(end_s, lambda: None)
        context.wait_until(
            lambda: context.clock.now() >= end_s,
            timeout_s=self.seconds + 1.0,
            what="eye to see",
            bankable=True,
        )
        if Look.works is not None:
            Look.works(context)
        values = np.array([1.0, 2.0])
        context.store([Array("counts", values, "counts", ("x",))], settings={}, live_time_s=1.0)


class Bench:
    """A session on fake instruments."""

    def __init__(
        self, folder: Path, *, ballast_bytes: int = 0, diary: list[str] | None = None
    ) -> None:
        self.clock = VirtualClock()
        self.diary: list[str] = [] if diary is None else diary
        self.shutter = FakeShutter(diary=self.diary)
        self.camera = FakeCamera(self.clock, diary=self.diary)
        self.lamp = FakeLamp(diary=self.diary)
        self.cryostat = FakeCryostat(self.clock)
        self.spectrograph = FakeSpectrograph(self.clock)
        everything = (self.shutter, self.camera, self.lamp, self.cryostat, self.spectrograph)
        self.station = Station(
            {one.name: one for one in everything},
            ["shutter.close", "camera.em_gain_1", "camera.close", "lamp.off"],
        )
        self.control = Control()
        self.journal = folder / "run.lcj"
        self.writer = JournalWriter(
            self.journal, now=self.clock.now, utc=self.clock.utc, ballast_bytes=ballast_bytes
        )
        self.book = Book(self.writer, Announcer("r1", self.clock), self.clock)
        self.events: list[Event] = []
        self.book.announcer.add(self.events.append)
        self.session = Session(self.station, self.book, self.control, calibrations={})

    def start(self, monitors: Mapping[str, float] | None = None) -> Session:
        plan = {"points": None, "expected_s": None}
        data = {"uid": "r1", "name": "fake", "plan": plan, "simulated": True}
        self.session.start(data, monitors or {})
        return self.session

    def of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.kind == kind]

    def texts(self) -> list[str]:
        return [event.text for event in self.of("message")]

    def states(self) -> list[str]:
        return [event.state for event in self.of("state_changed")]
