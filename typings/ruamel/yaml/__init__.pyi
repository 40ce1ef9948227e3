from typing import IO

from ruamel.yaml.nodes import Node

class YAML:
    def __init__(self, *, typ: str = ..., pure: bool = ...) -> None: ...
    def compose(self, stream: IO[str]) -> Node | None: ...
