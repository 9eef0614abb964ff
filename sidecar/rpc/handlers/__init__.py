"""The handlers of all methods, by name. The table of methods is `sidecar.protocol.methods`."""

from __future__ import annotations

from sidecar.rpc.context import Handler
from sidecar.rpc.handlers import history, lifecycle, lora, models, pictures

HANDLERS: dict[str, Handler] = {
    "initialize": lifecycle.initialize,
    "ping": lifecycle.ping,
    "status": lifecycle.status,
    "shutdown": lifecycle.shutdown,
    "exit": lifecycle.exit_now,
    "rpc.discover": lifecycle.discover,
    "$/cancelRequest": lifecycle.cancel_request,
    "cancel": lifecycle.cancel,
    "list_models": models.list_models,
    "load_model": models.load_model,
    "unload_model": models.unload_model,
    "vram_report": models.vram_report,
    "list_loras": lora.list_loras,
    "switch_lora": lora.switch_lora,
    "set_alpha": lora.set_alpha,
    "preview": pictures.preview,
    "generate": pictures.generate,
    "history_list": history.history_list,
    "history_get": history.history_get,
    "history_pin": history.history_pin,
    "history_delete": history.history_delete,
    "history_clear": history.history_clear,
    "history_rollback": history.history_rollback,
    "repeat": pictures.repeat,
}
