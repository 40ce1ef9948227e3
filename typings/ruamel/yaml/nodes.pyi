from ruamel.yaml.error import StreamMark

class Node:
    tag: str
    start_mark: StreamMark
    end_mark: StreamMark

class ScalarNode(Node):
    value: str

class SequenceNode(Node):
    value: list[Node]
    flow_style: bool | None

class MappingNode(Node):
    value: list[tuple[Node, Node]]
