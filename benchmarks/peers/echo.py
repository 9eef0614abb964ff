"""The least that a child on stdio can do: every line comes back as it is."""

import sys

while line := sys.stdin.buffer.readline():
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
