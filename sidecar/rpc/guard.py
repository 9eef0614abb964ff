"""No LoRA file is used before it has been scanned, and none is scanned twice.

Scans run on a thread of their own, one at a time; a job whose files are not known yet waits in
the queue for its *clearance* (a future), and the reading thread goes on. Verdicts are kept by
path, size and time of the file; what a caller allowed is kept by the hash of the bytes, for the
session.
"""

from __future__ import annotations

import errno
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from sidecar.engine.contract import LoraSpec
from sidecar.errors import (
    Cancelled,
    LoraCorrupt,
    LoraNotFound,
    LoraSuspicious,
    LoraUnsafe,
    SidecarError,
)
from sidecar.protocol.library import FindingReport, Verdict
from sidecar.rpc.hashes import FileHashes, Identity, identity
from sidecar.scan import Finding, Scan, Stopped, scan_file
from sidecar.scan.sentences import phrase

REASONS = 3
"""Findings that are named in a message; all of them are in its data."""
TRIES = 3
"""At a file that changes while it is read."""

Clearance = Future[None]

_REFUSALS: dict[str, type[SidecarError]] = {
    "unsafe": LoraUnsafe,
    "corrupt": LoraCorrupt,
    "suspicious": LoraSuspicious,
}


class Guard:
    """Thread-safe. `locale`: the session's language, asked when a message is made."""

    def __init__(self, hashes: FileHashes, locale: Callable[[], str]) -> None:
        self._hashes = hashes
        self._locale = locale
        self._lock = threading.Lock()
        self._scans: dict[Identity, Future[Scan]] = {}
        self._allowed: set[str] = set()
        self._work: queue.SimpleQueue[tuple[str, Future[Scan]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    def scan(self, path: str) -> Future[Scan]:
        """What the scan of that file says, now or later. It may fail with OSError."""
        with self._lock:
            try:
                mark = identity(path)
            except OSError as exc:
                return _failed(exc)
            scan = self._scans.get(mark)
            if scan is None:
                scan = self._scans[mark] = Future()
                self._work.put((path, scan))
                self._start()
        return scan

    def allow_known(self, sha256: str | None) -> None:
        """Bytes that a picture of the history was drawn with were allowed then."""
        if sha256 is not None:
            self._allowed.add(sha256)

    def clear(self, loras: Sequence[LoraSpec], allow_suspicious: bool) -> Clearance | None:
        """Whether these files may be used: None when all may, else a future that ends when that is
        known. Raises (or the future does) LoraUnsafe, LoraCorrupt, LoraSuspicious, LoraNotFound.
        """
        scans = [(lora.name, self.scan(lora.path)) for lora in loras]
        if all(scan.done() for _, scan in scans):
            self._judge_all(scans, allow_suspicious)
            return None
        return self._when_done(scans, lambda: self._judge_all(scans, allow_suspicious))

    def close(self) -> None:
        """Stop a scan in work; jobs that wait for it are cancelled."""
        self._closed = True

    def reports(self, findings: Sequence[Finding]) -> list[FindingReport]:
        """Findings as they go onto the wire."""
        return [_report(finding, self._locale()) for finding in findings]

    # ----------------------------------------------------------------- inside

    def _judge_all(self, scans: Sequence[tuple[str, Future[Scan]]], allow: bool) -> None:
        for name, scan in scans:
            try:
                self._judge(name, scan.result(), allow)
            except Stopped as exc:
                raise Cancelled() from exc
            except FileNotFoundError as exc:
                raise LoraNotFound(name=name, available=[]) from exc
            except OSError as exc:
                raise LoraCorrupt(name=name, reason=exc.strerror, findings=[]) from exc

    def _judge(self, name: str, scan: Scan, allow: bool) -> None:
        refusal = _REFUSALS.get(scan.verdict or "")
        if refusal is None or (refusal is LoraSuspicious and scan.sha256 in self._allowed):
            return
        if refusal is LoraSuspicious and allow:
            self._allowed.add(scan.sha256)
            return
        deciding = [finding for finding in scan.findings if finding.severity == scan.verdict]
        reasons = [phrase(finding, self._locale()) for finding in deciding[:REASONS]]
        findings = [report.model_dump() for report in self.reports(scan.findings)]
        raise refusal(name=name, reason="; ".join(reasons), findings=findings)

    def _when_done(
        self, scans: Sequence[tuple[str, Future[Scan]]], judge: Callable[[], None]
    ) -> Clearance:
        clearance: Clearance = Future()
        missing = [len(scans)]
        lock = threading.Lock()

        def one_done(_: Future[Scan]) -> None:
            with lock:
                missing[0] -= 1
                last = missing[0] == 0
            if last:
                _settle(clearance, judge)

        for _, scan in scans:
            scan.add_done_callback(one_done)
        return clearance

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="scan", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            path, future = self._work.get()
            try:
                future.set_result(self._scanned(path, future))
            except Exception as exc:
                self._forget(future)
                future.set_exception(exc)

    def _scanned(self, path: str, future: Future[Scan]) -> Scan:
        """The scan of a file that stayed the same meanwhile; its hash is noted."""
        for _ in range(TRIES):
            before = identity(path)
            scan = scan_file(Path(path), lambda: self._closed)
            if identity(path) == before:
                self._hashes.note(before, scan.sha256)
                with self._lock:
                    self._scans.setdefault(before, future)
                return scan
        raise OSError(errno.EBUSY, "it is still being written", path)

    def _forget(self, future: Future[Scan]) -> None:
        """A file that could not be read is tried again the next time."""
        with self._lock:
            self._scans = {mark: scan for mark, scan in self._scans.items() if scan is not future}


def verdict_of(scan: Scan) -> Verdict:
    return scan.verdict or "clean"


def _report(finding: Finding, locale: str) -> FindingReport:
    return FindingReport(
        severity=finding.severity,
        kind=finding.kind,
        message=phrase(finding, locale),
        where=finding.where,
        detail=finding.detail,
        offset=finding.offset,
    )


def _settle(clearance: Clearance, judge: Callable[[], None]) -> None:
    try:
        judge()
    except SidecarError as exc:
        clearance.set_exception(exc)
    else:
        clearance.set_result(None)


def _failed(exc: OSError) -> Future[Scan]:
    future: Future[Scan] = Future()
    future.set_exception(exc)
    return future
