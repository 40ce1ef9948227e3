r"""Text lines of Thorlabs' serial controllers: echo of the command, values, then the prompt ``> ``.

Facts: manuals of SC10 and FW102C. Every answer must begin with the echo of its own command, so a
late answer is never believed.
"""

from labctl.transport import GarbledBytesError, RefusalError

__all__ = ["lines_after_echo"]

_PROMPT = b"> "


def lines_after_echo(data: bytes, command: str, model: str) -> list[str] | None:
    """Return the lines between the echo of ``command`` and the prompt; None until it is there.

    Raises:
        GarbledBytesError: Another echo, no text, or two answers.
        RefusalError: The controller does not know the command or its argument; ``model`` is what
            it should be.
    """
    if not data.isascii():
        raise GarbledBytesError("not ASCII text")
    # The prompt of the answer before may still stand in front.
    text = data.removeprefix(_PROMPT).decode("ascii")
    echo = f"{command}\r"
    if not (text.startswith(echo) or echo.startswith(text)):
        raise GarbledBytesError(f"does not begin with the echo of {str(command)!r}")
    body, prompt, behind = text[len(echo) :].partition(_PROMPT.decode())
    if behind:
        raise GarbledBytesError("more than one answer to one command")
    if "CMD_" in body and prompt:
        raise RefusalError(body.strip(), f"is this {model}?")
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    return lines if prompt else None
