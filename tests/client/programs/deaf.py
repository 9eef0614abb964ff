"""Never reads, never answers, and ignores being asked to go. Says again and again that it runs."""

import signal
import sys
import threading

if sys.platform != "win32":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
never = threading.Event()
for _ in range(600):
    sys.stdout.write('{"jsonrpc":"2.0","method":"ready","params":{}}\n')
    sys.stdout.flush()
    never.wait(0.1)
