"""Memory figures: ours by looking, the engine's by asking it, within a bound."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from itertools import count

import psutil

from sidecar.engine.contract import Command, MemoryReport, ReportMemory
from sidecar.protocol.models import Component, DeviceMemory, VramReport

PATIENCE = 1.0
"""Seconds the engine has to answer; while it imports, it may not get to it."""
NOTEWORTHY = 0.05

Notify = Callable[[VramReport], None]


class MemoryDesk:
    """Asks with tickets, so that reports find their askers. Thread-safe."""

    def __init__(self, send: Callable[[Command], bool], notify: Notify) -> None:
        self._send = send
        self._notify = notify
        self._tickets = count(1)
        self._asked: dict[int, Future[VramReport]] = {}
        self._lock = threading.Lock()
        self._last_told = 0

    def ask(self) -> Future[VramReport]:
        """A report; without the engine's part when there is no engine or it is too busy."""
        future: Future[VramReport] = Future()
        ticket = next(self._tickets)
        with self._lock:
            self._asked[ticket] = future
        if not self._send(ReportMemory(ticket)):
            self._settle(ticket, report_of(None))
            return future
        timer = threading.Timer(PATIENCE, lambda: self._settle(ticket, report_of(None)))
        timer.daemon = True
        timer.start()
        future.add_done_callback(lambda _: timer.cancel())
        return future

    def watch(self) -> None:
        """Ask on our own account: a change of over 5% is told to the caller."""
        self._send(ReportMemory(0))

    def arrived(self, report: MemoryReport) -> None:
        """The engine's answer."""
        whole = report_of(report)
        self._settle(report.ticket, whole)
        taken = whole.rss_front + report.rss
        if abs(taken - self._last_told) > NOTEWORTHY * max(self._last_told, 1):
            self._last_told = taken
            self._notify(whole)

    def _settle(self, ticket: int, report: VramReport) -> None:
        with self._lock:
            future = self._asked.pop(ticket, None)
        if future is not None:
            future.set_result(report)


def report_of(engine: MemoryReport | None) -> VramReport:
    """What is known now."""
    ram = psutil.virtual_memory()
    devices = engine.devices if engine else ()
    components = engine.components if engine else ()
    return VramReport(
        devices=[DeviceMemory(**vars(device)) for device in devices],
        ram_total=ram.total,
        ram_available=ram.available,
        rss_front=psutil.Process().memory_info().rss,
        rss_engine=engine.rss if engine else None,
        components=[Component(**vars(component)) for component in components],
    )
