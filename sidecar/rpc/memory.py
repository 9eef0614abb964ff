"""Memory figures: ours by looking, the engine's by asking it, within a bound."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from itertools import count
from typing import Any

import psutil

from sidecar.engine.contract import Command, MemoryReport, RenderSpec, ReportMemory
from sidecar.errors import told_way
from sidecar.jobs.facts import EngineFacts
from sidecar.protocol.memory import Forecast, VramReport
from sidecar.protocol.models import Component, DeviceMemory

PATIENCE = 1.0
"""Seconds the engine has to answer; while it imports, it may not get to it."""
FORECAST_PATIENCE = 30.0
"""The same for a forecast, which a warm engine makes."""
NOTEWORTHY = 0.05
WATCH_SECONDS = 1.0
LOOK = 0
"""The ticket of our own questions."""

Notify = Callable[[VramReport], None]


class MemoryDesk:
    """Asks with tickets, so that reports find their askers. Thread-safe.

    `facts`: an engine that works is looked at every second, once it has answered the last look.
    """

    def __init__(
        self,
        send: Callable[[Command], bool],
        notify: Notify,
        locale: Callable[[], str],
        facts: EngineFacts,
    ) -> None:
        self._send = send
        self._notify = notify
        self._locale = locale
        self._facts = facts
        self._tickets = count(1)
        self._asked: dict[int, Future[VramReport]] = {}
        self._lock = threading.Lock()
        self._last_told: dict[str, int] = {}
        self._watching = False
        self._looked_at: int | None = None

    def ask(self, planned: RenderSpec | None = None) -> Future[VramReport]:
        """A report; without the engine's part when there is no engine or it is too busy.

        `planned`: a picture whose need is to be foretold.
        """
        future: Future[VramReport] = Future()
        ticket = next(self._tickets)
        with self._lock:
            self._asked[ticket] = future
        if not self._send(ReportMemory(ticket, planned)):
            self._settle(ticket, self._report(None))
            return future
        patience = PATIENCE if planned is None else FORECAST_PATIENCE
        timer = threading.Timer(patience, lambda: self._settle(ticket, self._report(None)))
        timer.daemon = True
        timer.start()
        future.add_done_callback(lambda _: timer.cancel())
        return future

    def watch(self) -> None:
        """Ask on our own account, now and every second while the engine works: a change of over 5%
        is told to the caller."""
        with self._lock:
            if self._watching:
                return
            self._watching = True
        self._look()

    def arrived(self, report: MemoryReport) -> None:
        """The engine's answer."""
        whole = self._report(report)
        if report.ticket == LOOK:
            self._looked_at = None
        self._settle(report.ticket, whole)
        with self._lock:
            noteworthy = self._changed(whole)
        if noteworthy:
            self._notify(whole)

    def _look(self) -> None:
        self._ask_again()
        if not self._facts.busy:
            with self._lock:
                self._watching = False
            return
        timer = threading.Timer(WATCH_SECONDS, self._look)
        timer.daemon = True
        timer.start()

    def _ask_again(self) -> None:
        """Unless that engine has not answered yet: it may be stuck."""
        engine = self._facts.pid
        if engine is None or engine == self._looked_at:
            return
        self._looked_at = engine
        if not self._send(ReportMemory(LOOK)):
            self._looked_at = None

    def _changed(self, report: VramReport) -> bool:
        """Whether any figure is 5% off the one told last; then all are noted as told."""
        taken = {"main memory": report.rss_front + (report.rss_engine or 0)}
        for number, device in enumerate(report.devices):
            if device.kind != "cpu" and device.used_by_process is not None:
                taken[f"{device.name} {number}"] = device.used_by_process
        told = self._last_told
        off = [
            abs(now - told.get(what, 0)) > NOTEWORTHY * max(told.get(what, 0), 1)
            for what, now in taken.items()
        ]
        if any(off):
            self._last_told = taken
        return any(off)

    def _settle(self, ticket: int, report: VramReport) -> None:
        with self._lock:
            future = self._asked.pop(ticket, None)
        if future is not None:
            future.set_result(report)

    def _report(self, engine: MemoryReport | None) -> VramReport:
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
            forecast=self._forecast(engine) if engine else None,
        )

    def _forecast(self, engine: MemoryReport) -> Forecast | None:
        if engine.forecast is None:
            return None
        fields: dict[str, Any] = asdict(engine.forecast)
        locale = self._locale()
        fields["alternatives"] = [told_way(way, locale) for way in fields["alternatives"]]
        return Forecast.model_validate(fields)
