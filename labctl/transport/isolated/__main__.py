"""The process of one vendor library: ``python -m labctl.transport.isolated PORT``."""

from labctl.transport.isolated._child import main

main()
