"""The engine's process; started by ``ChildHost``."""

from labctl.host._child import main

if __name__ == "__main__":
    main()
