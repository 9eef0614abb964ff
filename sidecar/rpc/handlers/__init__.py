"""Which function answers which method. The methods themselves: `sidecar.protocol.methods`.

Functions are named, not imported: the handshake needs only one of these modules, and the others
are imported in the background once the client has its first answer.
"""

from __future__ import annotations

HANDLERS: dict[str, str] = {
    "initialize": "lifecycle.initialize",
    "ping": "lifecycle.ping",
    "status": "lifecycle.status",
    "shutdown": "lifecycle.shutdown",
    "exit": "lifecycle.exit_now",
    "rpc.discover": "lifecycle.discover",
    "$/cancelRequest": "lifecycle.cancel_request",
    "cancel": "lifecycle.cancel",
    "list_models": "models.list_models",
    "load_model": "models.load_model",
    "unload_model": "models.unload_model",
    "vram_report": "models.vram_report",
    "set_low_vram": "models.set_low_vram",
    "list_loras": "lora.list_loras",
    "switch_lora": "lora.switch_lora",
    "set_alpha": "lora.set_alpha",
    "inspect_lora": "library.inspect_lora",
    "scan_lora": "library.scan_lora",
    "check_conflicts": "library.check_conflicts",
    "merge_prompt": "library.merge_prompt",
    "preview": "pictures.preview",
    "generate": "pictures.generate",
    "enhance": "enlarging.enhance",
    "upscale": "enlarging.upscale",
    "history_list": "history.history_list",
    "history_get": "history.history_get",
    "history_pin": "history.history_pin",
    "history_delete": "history.history_delete",
    "history_clear": "history.history_clear",
    "history_rollback": "history.history_rollback",
    "repeat": "pictures.repeat",
}
