"""The program's start: `python -m bots`, the same as `ketafacts`."""

import gc
import sys


def start() -> int:
    """Load the program and run it; returns its exit code."""
    # What loads stays: looking through it for garbage meanwhile is a twentieth of a start.
    gc.disable()
    from bots.cli import main

    gc.freeze()
    gc.enable()
    return main()


if __name__ == "__main__":
    sys.exit(start())
