"""Where the frozen program begins; the same as `python -m sidecar`."""

from __future__ import annotations

import sys
from multiprocessing import freeze_support

from sidecar.cli.main import main

if __name__ == "__main__":
    freeze_support()
    sys.exit(main())
