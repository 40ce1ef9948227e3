"""Exchanges typed from the manuals of the 335 and the 336."""

import pytest

from labctl_sim.lakeshore.model335 import Model335
from labctl_sim.lakeshore.model336 import Model336
from labctl_sim.world import World


class Bench:
    """A controller and one client; the world's platform is at 4 K."""

    def __init__(self, world: World, make: type[Model335] | type[Model336] = Model336) -> None:
        truth = {"sensor_error_k": 0.0, "sensor_gain_rel": 1.0}
        self.device = make("thermostat", world, {}, truth)
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, data: bytes, size: int | None = None) -> bytes:
        self.sent.clear()
        step = size or len(data)
        for start in range(0, len(data), step):
            self.session.receive(data[start : start + step])
        return b"".join(self.sent)


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"\n*IDN?\n", b"LSCI,MODEL336,LSA12AB/#######,2.9\r\n"),
        (b"*ESR?\n*ESR?\n", b"128\r\n000\r\n"),
        (b"SETP 1,10;SETP? 1\n", b"+1.00000E+1\r\n"),
        (b"*CLS;FROB?;*ESR?\n", b"032\r\n"),
        (b"*CLS;SETP 1,5000;*ESR?\n", b"016\r\n"),
        (b"RDGST? A;RDGST? B\n", b"000;064\r\n"),
        (b"RANGE? 1;RANGE 1,2;RANGE? 1\r\n", b"3;2\r\n"),
        (b"RAMP 1,1,2.0;RAMP? 1;RAMPST? 1\n", b"1,+002.0;0\r\n"),
        (b"PID? 1\n", b"+0050.0,+0020.0,+0000\r\n"),
        (b"HTRST? 1;ALARMST? A\n", b"0;0,0\r\n"),
        (b"RANGE 1,0;RANGE 2,0;RANGE 3,0;RANGE 4,0;HTR? 1\n", b"+000.0\r\n"),
    ],
)
def test_exchanges_whole_and_byte_by_byte(world: World, data: bytes, reply: bytes) -> None:
    assert Bench(world).ask(data) == reply
    assert Bench(world).ask(data, 1) == reply


def test_readings_of_all_inputs(world: World) -> None:
    found = Bench(world).ask(b"KRDG? 0\n").strip().split(b",")
    assert float(found[0]) == pytest.approx(4.0, abs=0.1)
    assert [float(value) for value in found[1:]] == [0.0] * 3
    assert len(Bench(world, Model335).ask(b"KRDG? 0\n").split(b",")) == 2


def test_a_controller_that_only_reads_leaves_the_cryostat_alone(world: World) -> None:
    before = world.thermal
    device = Model335("thermostat", world, {}, {"controls": False})
    device.run("SETP 1,50;RANGE 1,3")
    assert world.thermal is before
    assert world.thermal.target_k != 50.0
