"""``labctl sim``: the simulated set-up for other programs, and its faults."""

import secrets
import signal
import threading
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from labctl.cli._control import Translate, inject, listening
from labctl.cli._options import Sample, Seed
from labctl.cli._say import say_data, screen
from labctl.host import Rig, serve, serve_virtual
from labctl.setup import Setup, injected, load_setup, parse_yaml

__all__ = ["app", "translator"]

app = typer.Typer(
    name="sim",
    no_args_is_help=True,
    add_completion=False,
    help="Serve a simulated set-up, and let it fail.",
)


@app.command("serve")
def sim_serve(
    setup: Annotated[Path, typer.Argument(help="Set-up file (YAML).")],
    sample: Sample = None,
    dot: Annotated[str, typer.Option(help="Dot on the optical axis.")] = "",
    seed: Seed = 0,
    speed: Annotated[float, typer.Option(min=0.001, help="So many times faster.")] = 1.0,
    virtual: Annotated[
        bool, typer.Option("--virtual", help="Let time pass only for whoever holds its lease.")
    ] = False,
    key: Annotated[
        str,
        typer.Option(
            envvar="LABCTL_LEASE_KEY",
            help="Secret of the lease; made up if not given. Others see command lines.",
        ),
    ] = "",
    port: Annotated[int, typer.Option(help="Port of the lease; 0: a free one.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Write the addresses as JSON.")] = False,
) -> None:
    """Open every simulated instrument on loopback until Ctrl-C."""
    loaded = load_setup(setup, sample=sample)

    def announce(told: Mapping[str, Any]) -> None:
        _announce(told, as_json)

    if virtual:
        secret = key or secrets.token_hex(16)

        def announce_lease(told: Mapping[str, Any]) -> None:
            announce({**told, "key": secret})

        with suppress(KeyboardInterrupt):
            serve_virtual(
                loaded, dot=dot, seed=seed, key=secret, port=port, announce=announce_lease
            )
        return
    with ExitStack() as stack:
        until = stack.enter_context(_interrupted())

        def control(rig: Rig) -> None:
            stack.enter_context(listening(rig, translator(loaded)))

        serve(
            loaded, dot=dot, seed=seed, speed=speed, announce=announce, until=until, control=control
        )


@app.command("fault")
def sim_fault(
    device: Annotated[str, typer.Argument(help="Instrument by its name in the set-up.")],
    kind: Annotated[str, typer.Argument(help="Kind of the fault; 'clear' ends all faults.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", help="Parameter as in a set-up file, with its unit: for=3s."),
    ] = None,
) -> None:
    """Let an instrument of the set-up that is being served fail."""
    values: dict[str, Any] = {}
    for text in parameters or []:
        name, separator, value = text.partition("=")
        if not separator:
            message = f"{text!r} is no parameter; write key=value"
            raise typer.BadParameter(message)
        values[name] = parse_yaml(f"value: {value}", Path("--set")).data["value"]
    inject(device, kind, values)
    screen(error=True).print(f"{device}: {kind}")


def translator(setup: Setup) -> Translate:
    """Return what turns ``for: 3 s`` of a fault into what the simulator of ``setup`` takes."""

    def translate(instrument: str, kind: str, parameters: dict[str, Any]) -> dict[str, Any]:
        entry = setup.instruments.get(instrument)
        # An unknown instrument is refused by the rig, which says what there is.
        return parameters if entry is None else injected(entry.simulator, kind, parameters)

    return translate


def _announce(told: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        say_data(told)
        return
    console = screen()
    for name, address in told["instruments"].items():
        console.print(f"{name}: {address}")
    if "lease" in told:
        console.print(f"lease: port {told['lease']}, key {told['key']}")


@contextmanager
def _interrupted() -> Generator[threading.Event]:
    """Give an event that is set when the user or the system wants the program to end."""
    event = threading.Event()
    names = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last on Windows only
    kinds = [signal.Signals[name] for name in names if name in signal.Signals.__members__]

    def end(number: int, frame: FrameType | None) -> None:
        event.set()

    before = {kind: signal.signal(kind, end) for kind in kinds}
    try:
        yield event
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
