"""A front without processes: messages in as values, messages out as values, the fake engine on a
thread. Also used by the tests of the handlers."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sidecar.engine.contract import (
    ApplyLoras,
    CancelJob,
    CancelToken,
    Command,
    Enhance,
    JobDone,
    JobFailed,
    LoadModel,
    Render,
    ReportMemory,
    UnloadModel,
    Upscale,
)
from sidecar.engine.fake import FakeEngine
from sidecar.errors import SidecarError
from sidecar.jobs.hooks import Hooks
from sidecar.jobs.queue import JobQueue
from sidecar.paths import DataFolder
from sidecar.rpc.context import Front
from sidecar.rpc.dispatch import Dispatcher
from sidecar.rpc.encode import notification
from sidecar.rpc.handlers import HANDLERS
from sidecar.rpc.prewarm import prewarm
from sidecar.settings import Settings

PATIENCE = 60.0

Message = dict[str, Any]


class LocalEngine:
    """The fake engine behind the same port as the real process."""

    def __init__(self, jobs: JobQueue) -> None:
        self._jobs = jobs
        self._engine = FakeEngine()
        self._work: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._tokens: dict[str, CancelToken] = {}
        self.commands: list[Command] = []
        threading.Thread(target=self._run, daemon=True).start()

    def send(self, command: Command) -> bool:
        self.commands.append(command)
        if isinstance(command, CancelJob):
            self._tokens.setdefault(command.job_id, CancelToken()).cancel()
        elif isinstance(command, ReportMemory):
            self._work.put(command)
        else:
            self._tokens.setdefault(command.job_id, CancelToken())
            self._work.put(command)
        return True

    def kill(self) -> None:
        raise AssertionError("nothing here needs killing")

    def wake(self) -> None:
        raise AssertionError("it never gave up")

    def _run(self) -> None:
        self._jobs.engine_started(1)
        self._jobs.engine_event(self._engine.warm_up())
        while True:
            command = self._work.get()
            if isinstance(command, ReportMemory):
                report = self._engine.memory(command.ticket, command.planned)
                self._jobs.engine_event(report)
                continue
            token = self._tokens[command.job_id]
            try:
                token.check()
                outcome = self._perform(command, token)
                event: Any = JobDone(command.job_id, outcome)
            except SidecarError as exc:
                event = JobFailed(command.job_id, exc.kind, exc.fields)
            except ValueError:
                event = JobFailed(command.job_id, "internal_error", {}, "a traceback")
            self._jobs.engine_event(event)

    def _perform(self, command: Any, token: CancelToken) -> Any:
        engine, emit = self._engine, self._jobs.engine_event
        match command:
            case LoadModel(job_id, model):
                return engine.load_model(job_id, model, emit, token)
            case ApplyLoras(job_id, model, loras):
                return engine.apply_loras(job_id, model, loras, emit, token)
            case Render(job_id, spec):
                return engine.render(job_id, spec, emit, token)
            case Upscale(job_id, spec):
                return engine.upscale(job_id, spec, emit, token)
            case Enhance(job_id, spec):
                return engine.enhance(job_id, spec, emit, token)
            case UnloadModel():
                return engine.unload_model()
            case _:
                raise AssertionError(command)


class InMemory:
    """One session. `send` takes anything JSON, or bytes; everything that comes out is kept."""

    def __init__(self, data: Path, lora_folder: Path | None = None, **settings: Any) -> None:
        folders = (lora_folder,) if lora_folder else ()
        self.settings = Settings(DataFolder(data), lora_folders=folders, engine="fake", **settings)
        self.out: list[Any] = []
        self._arrived = threading.Condition()
        jobs = JobQueue(
            Hooks(
                state=lambda: None,
                idle=lambda job: None,
                warning=lambda kind, fields: self.front.warn(kind, fields),
                memory=lambda report: self.front.memory.arrived(report),
                restarted=lambda: prewarm(self.front),
            ),
            self.settings.queue_limit,
        )
        self.engine = LocalEngine.__new__(LocalEngine)
        self.front = Front(
            self.settings,
            jobs,
            lambda name, params: self._take(notification(name, params)),
            lambda command: self.engine.send(command),
            lambda: None,
        )
        self.engine.__init__(jobs)
        jobs.attach(self.engine)
        self.dispatcher = Dispatcher(self.front, HANDLERS, self._take)
        self._ids = iter(range(1, 1_000_000))

    def _take(self, body: bytes) -> None:
        with self._arrived:
            self.out.append(json.loads(body))
            self._arrived.notify_all()

    def send(self, message: Any) -> None:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.dispatcher.receive(body)

    def wait(self, wanted: Callable[[Any], bool]) -> Any:
        """The first message out that is wanted, now or within the time."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: any(map(wanted, self.out)), PATIENCE), self.out
            return next(filter(wanted, self.out))

    def request(self, method: str, **params: Any) -> int:
        request_id = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return request_id

    def answer(self, request_id: Any) -> Message:
        """The whole answer to that request."""
        return self.wait(lambda m: isinstance(m, dict) and "id" in m and m["id"] == request_id)

    def call(self, method: str, **params: Any) -> Any:
        """The result. Fails when the answer is an error."""
        answer = self.answer(self.request(method, **params))
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method: str, **params: Any) -> Message:
        """The error object. Fails when the answer is a result."""
        answer = self.answer(self.request(method, **params))
        assert "error" in answer, answer
        return answer["error"]

    def told(self, name: str) -> list[Message]:
        """The parameters of all notifications of that name so far."""
        return [m["params"] for m in self.out if isinstance(m, dict) and m.get("method") == name]
