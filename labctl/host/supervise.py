"""The supervisor's process; started by the engine."""

from labctl.host._supervisor import main

if __name__ == "__main__":
    main()
