"""Transport over VISA: serial lines, TCP sockets, and whatever else a VISA library reaches."""

from labctl.clock import Clock
from labctl.errors import ConfigError, Problem
from labctl.transport._recorder import FlightRecorder
from labctl.transport._transport import Transport
from labctl.transport._visa_port import SerialLine, open_visa

__all__ = ["VisaTransport"]


class VisaTransport(Transport):
    """A connection by VISA resource name, e.g. ``TCPIP::host::7773::SOCKET``, ``ASRL4::INSTR``.

    pyvisa is imported when the connection is opened; on Windows an installed NI-VISA is used for
    everything but plain sockets.
    """

    def __init__(
        self,
        name: str,
        resource: str,
        clock: Clock,
        recorder: FlightRecorder | None = None,
        *,
        baud_rate: int = 9600,
        data_bits: int = 8,
        parity: str = "none",
        stop_bits: float = 1,
    ) -> None:
        """Remember the address and, for a serial line, its settings.

        Raises:
            ConfigError: No serial line can be set so.
        """
        try:
            line = SerialLine(baud_rate, data_bits, parity, stop_bits)
        except ValueError as error:
            raise ConfigError([Problem(str(error), name)]) from error
        self.resource = resource
        super().__init__(name, lambda: open_visa(resource, line), clock, recorder)
