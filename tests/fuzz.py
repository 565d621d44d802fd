"""How many odd inputs are made up, and how long one may take."""

import gc
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "300"))
"""Made in a test run; `make fuzz` makes 20,000."""

SLOW_SECONDS = 0.05
"""Processor time of this thread, which other programs on the machine don't change."""


@contextmanager
def swiftly() -> Iterator[None]:
    """Fail if the block is slow.

    What Hypothesis keeps is not the bot's garbage to collect, and a run that coverage traces is no measure.
    """
    gc.disable()
    began = time.thread_time()
    try:
        yield
        assert sys.gettrace() or time.thread_time() - began < SLOW_SECONDS
    finally:
        gc.enable()
