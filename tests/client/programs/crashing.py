"""Dies at the first request, with a last word on stderr."""

import os
import sys

sys.stdin.readline()
sys.stderr.write("Segmentation fault (not really)\n")
sys.stderr.flush()
os._exit(42)
