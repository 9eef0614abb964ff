"""One side of the comparison as a child: JSON lines in, milliseconds out.

python -m benchmarks.switching.worker ours|peer
{"op": "switch" | "alpha" | "copy" | "step", …}
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"


def main() -> None:
    side: Any = importlib.import_module(f"benchmarks.switching.{sys.argv[1]}").Side()
    answer({"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        operation = getattr(side, request.pop("op"))
        prepare = getattr(side, f"before_{operation.__name__}", None)
        if prepare is not None:
            prepare(**request)
        start = time.perf_counter()
        operation(**request)
        took = (time.perf_counter() - start) * 1000
        answer({"ms": took, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})


def answer(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
