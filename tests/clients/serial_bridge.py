"""A pseudo-terminal whose other end is a TCP connection, for clients that open serial ports only.

Linux only. The clients stay as they are: they see a serial port.
"""

import os
import select
import socket
import threading
import tty


class SerialBridge:
    """Carries bytes both ways until it is closed; ``port`` is the name of the serial port."""

    def __init__(self, host: str, port: str) -> None:
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._near, self._far = socket.socketpair()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and close everything."""
        self._near.send(b"!")
        self._thread.join()
        for descriptor in (self._master, self._slave):
            os.close(descriptor)
        for sock in (self._socket, self._near, self._far):
            sock.close()

    def _carry(self) -> None:
        while True:
            ready, _, _ = select.select([self._socket, self._master, self._far], [], [])
            if self._far in ready:
                return
            if self._master in ready:
                self._socket.sendall(os.read(self._master, 4096))
            if self._socket in ready:
                data = self._socket.recv(4096)
                if not data:
                    return
                os.write(self._master, data)
