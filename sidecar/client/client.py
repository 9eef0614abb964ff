"""`Sidecar`: every method of the protocol as a typed Python method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, Unpack

from sidecar import __version__
from sidecar.client.connection import Connection, Listener, Message, Reply
from sidecar.client.models import LOOK_UP_SECONDS, ModelMethods, read
from sidecar.client.pictures import (
    EnhanceOptions,
    Picture,
    PictureOptions,
    wire_options,
    wire_picture,
    wire_stack,
)
from sidecar.client.process import ChildProcess
from sidecar.paths import program
from sidecar.protocol.history import (
    HistoryDeleteResult,
    HistoryEntry,
    HistoryGetResult,
    HistoryList,
    RollbackResult,
)
from sidecar.protocol.library import (
    CheckConflictsResult,
    InspectLoraResult,
    MergePromptResult,
    ScanLoraResult,
)
from sidecar.protocol.lifecycle import CancelResult, InitializeResult, StatusResult
from sidecar.protocol.lora import LoraCard, LoraList, SetAlphaResult, SwitchLoraResult
from sidecar.protocol.names import Locale
from sidecar.protocol.pictures import (
    EnlargeResult,
    GenerateResult,
    PictureEvent,
    PreviewResult,
    ProgressEvent,
)

WORK_SECONDS = 600.0

OnProgress = Callable[[ProgressEvent], None]
OnPicture = Callable[[PictureEvent], None]
Delivery = Literal["file", "inline", "both"]


class Sidecar(ModelMethods):
    """A running sidecar. Use it in a `with` statement; the end of it stops the process.

    Every wait is bounded: `timeout` is the longest silence on a working request, in seconds
    (notifications of the request count as news). Methods raise the classes of `sidecar.errors`,
    and those of `sidecar.client.faults` when the connection fails. May be used from many threads.
    """

    def __init__(self, process: ChildProcess, timeout: float = WORK_SECONDS) -> None:
        self.timeout = timeout
        self._process = process
        self._connection = Connection(process)

    @classmethod
    def spawn(
        cls,
        data_dir: Path | str | None = None,
        *,
        arguments: Sequence[str] = (),
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        log: Path | str | None = None,
        locale: Locale = "en",
        timeout: float = WORK_SECONDS,
        start_timeout: float = LOOK_UP_SECONDS,
    ) -> Self:
        """Start a sidecar and introduce ourselves.

        `arguments` are further options of `lora-sidecar serve`; `command` replaces the command
        altogether. `log`: a file to which its stderr is appended.
        """
        words = list(command or (*program(), "serve"))
        if data_dir is not None:
            words += ["--data-dir", str(data_dir)]
        process = ChildProcess([*words, *arguments], env, Path(log) if log else None)
        sidecar = cls(process, timeout)
        try:
            sidecar.initialize(locale, start_timeout)
        except BaseException:
            sidecar.stop(grace=0.5)
            raise
        return sidecar

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self, grace: float = 5.0) -> int | None:
        """Close its stdin, wait, terminate, kill. Returns the exit code. May be called twice."""
        return self._process.stop(grace)

    @property
    def pid(self) -> int:
        return self._process.pid

    # ------------------------------------------------------------------ any method

    def submit(self, method: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Send a request and go on; the reply is a future with the raw result."""
        return self._connection.submit(method, params or {})

    def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        timeout: float | None = None,
        listener: Listener | None = None,
    ) -> Any:
        """Send a request and wait for the raw result; see `Reply.wait`."""
        seconds = self.timeout if timeout is None else timeout
        return self.submit(method, params).wait(seconds, listener)

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        self._connection.notify(method, params or {})

    def on(self, name: str, callback: Callable[[Message], None]) -> Callable[[], None]:
        """Listen to a notification, for example with a queue's `put`; returns how to stop it."""
        return self._connection.on(name, callback)

    # ------------------------------------------------------------------ life cycle

    def initialize(
        self, locale: Locale = "en", timeout: float = LOOK_UP_SECONDS
    ) -> InitializeResult:
        client = {"name": "sidecar.client", "version": __version__}
        params = {"client": client, "locale": locale}
        return read(InitializeResult, self.call("initialize", params, timeout))

    def ping(self, timeout: float = LOOK_UP_SECONDS) -> None:
        self.call("ping", {}, timeout)

    def status(self) -> StatusResult:
        return self._look_up(StatusResult, "status")

    def discover(self) -> Message:
        """The OpenRPC document."""
        return self.call("rpc.discover", {}, LOOK_UP_SECONDS)

    def cancel(self, job_id: str) -> bool:
        """Whether the job was still there."""
        return self._look_up(CancelResult, "cancel", job_id=job_id).cancelled

    def shutdown(self) -> None:
        """Cancel running work and flush; `stop` then ends the process."""
        self.call("shutdown", {})

    # ------------------------------------------------------------------ LoRA

    def list_loras(self) -> list[LoraCard]:
        return self._look_up(LoraList, "list_loras").loras

    def inspect_lora(self, name: str) -> InspectLoraResult:
        """Card, blocks, training, findings of the safety scan, and whether it fits the model."""
        return read(InspectLoraResult, self.call("inspect_lora", {"name": name}))

    def scan_lora(self, path: Path | str) -> ScanLoraResult:
        """A name in the library as a string, or the path of any file."""
        where = str(path.absolute()) if isinstance(path, Path) else path
        return read(ScanLoraResult, self.call("scan_lora", {"path": where}))

    def check_conflicts(self, loras: Mapping[str, float]) -> CheckConflictsResult:
        """Which styles of a stack (name to alpha) do not go together, and alphas that do."""
        return self._look_up(CheckConflictsResult, "check_conflicts", loras=wire_stack(loras))

    def switch_lora(
        self, name: str | None, alpha: float = 0.7, *, allow_suspicious: bool = False
    ) -> SwitchLoraResult:
        """One style, or none."""
        params: dict[str, Any] = {"name": name, "allow_suspicious": allow_suspicious}
        if name is not None:
            params["alpha"] = alpha
        return read(SwitchLoraResult, self.call("switch_lora", params))

    def switch_loras(
        self,
        loras: Mapping[str, float],
        *,
        allow_suspicious: bool = False,
        allow_conflict: bool = False,
    ) -> SwitchLoraResult:
        """A stack: name to alpha."""
        params = {
            "loras": wire_stack(loras),
            "allow_suspicious": allow_suspicious,
            "allow_conflict": allow_conflict,
        }
        return read(SwitchLoraResult, self.call("switch_lora", params))

    def set_alpha(
        self, alpha: float, name: str | None = None, *, allow_conflict: bool = False
    ) -> SetAlphaResult:
        params: dict[str, Any] = {"alpha": alpha, "allow_conflict": allow_conflict}
        if name is not None:
            params["name"] = name
        return read(SetAlphaResult, self.call("set_alpha", params, LOOK_UP_SECONDS))

    def merge_prompt(
        self,
        prompt: str,
        style: str | None,
        *,
        negative_prompt: str = "",
        former_style: str | None = None,
    ) -> MergePromptResult:
        """The prompt with a style's words, after those of the former style went out."""
        return self._look_up(
            MergePromptResult,
            "merge_prompt",
            prompt=prompt,
            style=style,
            negative_prompt=negative_prompt,
            former_style=former_style,
        )

    # ------------------------------------------------------------------ pictures

    def preview(
        self,
        prompt: str,
        *,
        session: str = "default",
        on_progress: OnProgress | None = None,
        on_thumbnail: OnPicture | None = None,
        **options: Unpack[PictureOptions],
    ) -> PreviewResult:
        params = {"prompt": prompt, "session": session, **wire_options(options)}
        listener = _listener(on_progress, on_thumbnail)
        return read(PreviewResult, self.call("preview", params, listener=listener))

    def generate(
        self,
        prompt: str,
        *,
        count: int = 1,
        upscale: Literal[1, 2, 4] | None = None,
        upscaler: str | None = None,
        delivery: Delivery = "file",
        on_progress: OnProgress | None = None,
        on_thumbnail: OnPicture | None = None,
        **options: Unpack[PictureOptions],
    ) -> GenerateResult:
        """`upscale`: draw at that part of the size and enlarge; None: where it pays."""
        params = {"prompt": prompt, "count": count, "delivery": delivery, **wire_options(options)}
        params |= {"upscale": upscale, "upscaler": upscaler}
        listener = _listener(on_progress, on_thumbnail)
        return read(GenerateResult, self.call("generate", params, listener=listener))

    def repeat(
        self,
        id: str,
        *,
        prompt: str | None = None,
        count: int = 1,
        delivery: Delivery = "file",
        on_progress: OnProgress | None = None,
        on_thumbnail: OnPicture | None = None,
        **options: Unpack[PictureOptions],
    ) -> GenerateResult:
        """Another like the entry; what is given here replaces what is stored."""
        params = {"id": id, "count": count, "delivery": delivery, **wire_options(options)}
        if prompt is not None:
            params["prompt"] = prompt
        listener = _listener(on_progress, on_thumbnail)
        return read(GenerateResult, self.call("repeat", params, listener=listener))

    def upscale(
        self,
        image: Picture,
        scale: int = 2,
        *,
        model: str | None = None,
        checks: Mapping[str, Any] | None = None,
        delivery: Delivery = "file",
        on_progress: OnProgress | None = None,
        on_thumbnail: OnPicture | None = None,
    ) -> EnlargeResult:
        """A picture `scale` times as large. `checks`: see `sidecar.protocol.finishing.Checks`."""
        params = {
            "image": wire_picture(image),
            "scale": scale,
            "model": model,
            "checks": checks,
            "delivery": delivery,
        }
        listener = _listener(on_progress, on_thumbnail)
        return read(EnlargeResult, self.call("upscale", params, listener=listener))

    def enhance(
        self,
        image: Picture,
        *,
        delivery: Delivery = "file",
        on_progress: OnProgress | None = None,
        on_thumbnail: OnPicture | None = None,
        **options: Unpack[EnhanceOptions],
    ) -> EnlargeResult:
        """A better picture of the same, at its own size unless `scale` says otherwise."""
        params = {"image": wire_picture(image), "delivery": delivery, **options}
        listener = _listener(on_progress, on_thumbnail)
        return read(EnlargeResult, self.call("enhance", params, listener=listener))

    # ------------------------------------------------------------------ history

    def history_list(self, limit: int = 50, offset: int = 0) -> HistoryList:
        return self._look_up(HistoryList, "history_list", limit=limit, offset=offset)

    def history_get(self, id: str) -> HistoryEntry:
        return self._look_up(HistoryGetResult, "history_get", id=id).entry

    def history_pin(self, id: str, pinned: bool = True) -> HistoryEntry:
        return self._look_up(HistoryGetResult, "history_pin", id=id, pinned=pinned).entry

    def history_delete(self, id: str) -> int:
        """How many entries were deleted."""
        return self._look_up(HistoryDeleteResult, "history_delete", id=id).deleted

    def history_clear(self, include_pinned: bool = False) -> int:
        params = {"include_pinned": include_pinned}
        return self._look_up(HistoryDeleteResult, "history_clear", **params).deleted

    def history_rollback(self, id: str, inline: bool = True) -> RollbackResult:
        """The stored picture, with model and styles put back; nothing is computed."""
        return self._look_up(RollbackResult, "history_rollback", id=id, inline=inline)


def _listener(on_progress: OnProgress | None, on_thumbnail: OnPicture | None) -> Listener:
    def heard(name: str, params: Message) -> None:
        if name == "progress" and on_progress is not None:
            on_progress(read(ProgressEvent, params))
        if name == "thumbnail" and on_thumbnail is not None:
            on_thumbnail(read(PictureEvent, params))

    return heard


__all__ = ["Picture", "Sidecar"]
