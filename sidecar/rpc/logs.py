"""Log lines on stderr: one JSON object a line for programs, or plain text for people."""

from __future__ import annotations

import json
import logging
import os
import time

from sidecar.settings import LogFormat

STDERR = 2
LEVELS = ("debug", "info", "warning", "error")


class JsonLines(logging.Formatter):
    """{"time", "level", "logger", "pid", "message", "traceback"?}"""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class Stderr(logging.Handler):
    """Writes whole lines straight to the descriptor: no buffer to lose, no stream to be None."""

    def emit(self, record: logging.LogRecord) -> None:
        line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        try:
            os.write(STDERR, line)
        except OSError:
            self.setLevel(logging.CRITICAL + 1)  # nobody listens on stderr, and nowhere to say so


def configure(level: str, log_format: LogFormat) -> None:
    """Send this process's log to stderr."""
    handler = Stderr()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if log_format == "json" else text)
    logging.captureWarnings(True)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("sidecar").setLevel(level.upper())
