"""Never reads, never answers, and ignores being asked to go."""

import signal
import sys
import threading

if sys.platform != "win32":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.write('{"jsonrpc":"2.0","method":"ready","params":{}}\n')
sys.stdout.flush()
threading.Event().wait(60)
