"""The command line of labctl."""

from labctl.cli._app import app, main

__all__ = ["app", "main"]
