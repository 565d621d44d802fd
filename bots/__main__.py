"""`python -m bots`, the same as `ketafacts`."""

import sys

from bots.cli import main

sys.exit(main())
