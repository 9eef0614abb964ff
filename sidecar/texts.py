"""The sentences people read, in each locale: what happened, and what to do next.

Keys are the stable kinds of `sidecar.errors` and of the `warning` notification. A missing
placeholder never breaks an answer: it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sidecar import memory_texts, picture_texts, storage_texts

DEFAULT_LOCALE = "en"
LOCALES = ("en", "zh-CN")

Sentences = dict[str, tuple[str, str]]

ENGLISH: Sentences = {
    **memory_texts.ENGLISH,
    **picture_texts.ENGLISH,
    **storage_texts.ENGLISH,
    "internal_error": (
        "Something went wrong inside the sidecar.",
        "Try again; if it happens again, send the log of this session with a bug report.",
    ),
    "parse_error": (
        "This message is not valid JSON{reason}.",
        "Send one JSON-RPC 2.0 object a line, or use Content-Length headers.",
    ),
    "invalid_request": (
        "This message is not a JSON-RPC 2.0 request: {reason}.",
        "A request has jsonrpc, method, params (an object) and id.",
    ),
    "method_not_found": (
        "There is no method “{method}”.",
        "rpc.discover lists every method of this version.",
    ),
    "method_meant": (
        "There is no method “{method}”. Did you mean “{meant}”?",
        "rpc.discover lists every method of this version.",
    ),
    "invalid_params": (
        "The parameters do not fit: {summary}.",
        "Correct it and try again; data.errors has every field that does not fit.",
    ),
    "cancelled": ("The request was cancelled.", "Nothing was changed; send it again if needed."),
    "superseded": (
        "A newer preview of the same session took its place.",
        "Wait for the answer to the newer one.",
    ),
    "shutting_down": (
        "The sidecar is shutting down and takes no more work.",
        "Start a new sidecar.",
    ),
    "lora_not_found": (
        "There is no LoRA named “{name}” in the LoRA folders.",
        "list_loras shows what is there; put the .safetensors file into a LoRA folder.",
    ),
    "lora_file_not_found": (
        "There is no file “{name}”.",
        "Give the name of a LoRA, as list_loras has it, or the absolute path of a file.",
    ),
    "lora_not_on": (
        "The style “{name}” is not on; on are: {available}.",
        "switch_lora puts styles on; set_alpha changes the strength of one that is on.",
    ),
    "no_lora_on": (
        "No style is on whose strength could be changed.",
        "Call switch_lora first.",
    ),
    "lora_incompatible": (
        "“{name}” was made for {lora_title} models; the loaded model is {model_title} ({reason}).",
        "Load one of the {lora_title} models, or choose a LoRA made for {model_title}.",
    ),
    "lora_unsafe": (
        "“{name}” was refused: {reason}.",
        "Get the file again from a source you trust.",
    ),
    "lora_conflict": (
        "{names} belong to one group ({group}) and are too strong together.",
        "Keep one of them, or take the suggested strengths.",
    ),
    "lora_corrupt": (
        "“{name}” cannot be read: {reason}.",
        "Copy or download the file again.",
    ),
    "lora_without_effect": (
        "“{name}” would change nothing: {reason}.",
        "Choose another file; the former styles are still on.",
    ),
    "lora_suspicious": (
        "“{name}” needs a second look: {reason}.",
        "If you trust where it came from, allow it.",
    ),
    "model_not_found": (
        "There is no model named “{model}”.",
        "list_models shows what is there; “starter” is always available.",
    ),
    "upscaler_not_found": (
        "There is no network named “{model}” for enlarging.",
        "There are: {available}. Others go into a models folder, as .onnx files.",
    ),
    "model_corrupt": (
        "The model “{model}” cannot be read: {reason}.",
        "Copy or download it again; the former model is still loaded.",
    ),
    "model_unsupported": (
        "The model “{model}” is of a kind this version cannot load: {reason}.",
        "Use a Stable Diffusion model in a diffusers folder or a .safetensors file.",
    ),
    "model_not_loaded": ("No model is loaded.", "Call load_model first, for example “starter”."),
    "vae_not_found": (
        "There is no VAE named “{vae}”.",
        "Put its .safetensors file or folder into the models folder, or into vae/ there.",
    ),
    "asset_missing": (
        "{asset} is not part of this installation, and this needs it.",
        "Run `make assets` in the checkout, or install a build that has it.",
    ),
    "engine_crashed": (
        "The engine stopped twice while working on this request.",
        "A fresh engine is running; try a smaller picture or another LoRA.",
    ),
    "engine_missing": (
        "This build cannot draw: {package} is not part of it.",
        "Install the full build.",
    ),
    "numerical_fault": (
        "The picture came out broken ({what}) and was not kept.",
        "Lower the LoRA's alpha, or load the model with no_half_vae.",
    ),
    "history_not_found": (
        "The history has no entry “{id}”.",
        "history_list shows what is kept; old entries make room for new ones unless pinned.",
    ),
    "picture_gone": (
        "The picture of history entry “{id}” is no longer in the images folder.",
        "Send repeat with this id to draw it again, or history_delete to remove the entry.",
    ),
    "queue_full": (
        "{limit} requests are waiting already.",
        "Wait for some answers, or cancel what is no longer needed.",
    ),
    "dataset_invalid": (
        "The training data cannot be used: {reason}.",
        "A data set is a folder of pictures with a .txt caption beside each.",
    ),
    "engine_restarted": (
        "The drawing engine stopped and was started again.",
        "Your model, styles and strengths are back; the request in work is being repeated.",
    ),
    "lora_family_in_card": (
        "The card of “{name}” says {claimed}, but its layers are those of {family} models.",
        "The layers count; correct the family in the .json file.",
    ),
    "lora_family_in_metadata": (
        "The metadata of “{name}” says {claimed}, but its layers are those of {family} models.",
        "The layers count.",
    ),
    "lora_family_in_name": (
        "The name “{name}” says {claimed}, but its layers are those of {family} models.",
        "The layers count; give the file another name.",
    ),
    "lora_large": (
        "“{name}” is {megabytes} MB; switching to it may stutter.",
        "A LoRA of lower rank does the same with less.",
    ),
    "lora_replaced": (
        "The file of “{name}”, which is on, was replaced.",
        "The next picture is drawn with the new file, once it has passed the safety scan.",
    ),
    "style_vae_missing": (
        "“{name}” is meant for the VAE “{vae}”, which is not there; the model's own is used.",
        "Put the VAE into a models folder, or name another one in the card.",
    ),
    "fit_yes": ("“{name}” was made for {model_family}, which is loaded.", "switch_lora uses it."),
    "fit_no": (
        "“{name}” was made for {lora_family} and does not fit {model_family}, which is loaded.",
        "Load a model of its family.",
    ),
    "fit_unknown": (
        "“{name}” may fit {model_family}; its tensors alone do not tell.",
        "switch_lora says which of them match.",
    ),
    "fit_no_model": ("No model is loaded that “{name}” could fit.", "Call load_model first."),
    "lora_missing": (
        "“{name}”, which this picture was made with, is gone or was replaced.",
        "Put the file back to get the same style again.",
    ),
    "nan_retry": (
        "The picture came out broken in half precision and is being decoded again.",
        "Load the model with no_half_vae to avoid the second pass.",
    ),
    "prompt_truncated": (
        "The prompt is too long; its last {dropped} tokens were left out.",
        "This model reads {limit} tokens of a prompt; say the important things first.",
    ),
    "history_reset": (
        "The history could not be read and was moved aside ({path}).",
        "The pictures themselves are still in the images folder.",
    ),
}

CHINESE: Sentences = {
    **memory_texts.CHINESE,
    **picture_texts.CHINESE,
    **storage_texts.CHINESE,
    "internal_error": ("程序内部出错。", "请重试；若再次发生，请附上本次日志报告问题。"),
    "parse_error": (
        "这条消息不是有效的 JSON{reason}。",
        "每行一个 JSON-RPC 2.0 对象，或使用 Content-Length 头。",
    ),
    "invalid_request": (
        "这条消息不是 JSON-RPC 2.0 请求：{reason}。",
        "请求包含 jsonrpc、method、params（对象）和 id。",
    ),
    "method_not_found": ("没有“{method}”这个方法。", "rpc.discover 列出本版本的全部方法。"),
    "method_meant": (
        "没有名为“{method}”的方法，是否想写“{meant}”？",
        "rpc.discover 列出此版本的全部方法。",
    ),
    "invalid_params": ("参数不符合要求：{summary}。", "请修改后重试；data.errors 列出每一处。"),
    "cancelled": ("请求已取消。", "没有任何改动；需要时可再次发送。"),
    "superseded": ("同一会话的新预览已取代它。", "请等待新预览的结果。"),
    "shutting_down": ("程序正在退出，不再接受任务。", "请重新启动。"),
    "lora_not_found": (
        "LoRA 文件夹中没有“{name}”。",
        "list_loras 显示现有文件；请把 .safetensors 文件放入 LoRA 文件夹。",
    ),
    "lora_file_not_found": (
        "没有文件“{name}”。",
        "请给出 list_loras 中的名称，或文件的绝对路径。",
    ),
    "lora_not_on": (
        "风格“{name}”没有启用；已启用：{available}。",
        "switch_lora 启用风格；set_alpha 只改变已启用风格的强度。",
    ),
    "no_lora_on": ("没有启用任何风格，无法改变强度。", "请先调用 switch_lora。"),
    "lora_incompatible": (
        "“{name}”是为 {lora_title} 模型制作的，而当前模型是 {model_title}（{reason}）。",
        "请加载 {lora_title} 模型，或选择适用于 {model_title} 的 LoRA。",
    ),
    "lora_unsafe": ("已拒绝“{name}”：{reason}。", "请从可信来源重新获取该文件。"),
    "lora_conflict": (
        "{names} 属于同一组（{group}），合在一起过强。",
        "只保留一个，或采用建议的强度。",
    ),
    "lora_corrupt": ("无法读取“{name}”：{reason}。", "请重新复制或下载该文件。"),
    "lora_without_effect": (
        "“{name}”不会产生任何效果：{reason}。",
        "请选择其他文件；原有风格仍然有效。",
    ),
    "lora_suspicious": (
        "“{name}”需要您确认：{reason}。",
        "如果信任其来源，可以允许使用。",
    ),
    "model_not_found": (
        "没有名为“{model}”的模型。",
        "list_models 显示现有模型；“starter”始终可用。",
    ),
    "upscaler_not_found": (
        "没有名为“{model}”的放大网络。",
        "现有：{available}。其他 .onnx 网络可放入模型文件夹。",
    ),
    "model_corrupt": (
        "无法读取模型“{model}”：{reason}。",
        "请重新复制或下载；原来的模型仍然可用。",
    ),
    "model_unsupported": (
        "本版本无法加载模型“{model}”：{reason}。",
        "请使用 diffusers 文件夹或 .safetensors 形式的 Stable Diffusion 模型。",
    ),
    "model_not_loaded": ("尚未加载模型。", "请先调用 load_model，例如“starter”。"),
    "vae_not_found": (
        "没有名为“{vae}”的 VAE。",
        "请把它的 .safetensors 文件或文件夹放入模型文件夹或其中的 vae/。",
    ),
    "asset_missing": (
        "此安装缺少 {asset}，而这里需要它。",
        "请在源码目录运行 `make assets`，或安装包含它的版本。",
    ),
    "engine_crashed": (
        "处理此请求时引擎两次停止。",
        "新的引擎已启动；请尝试更小的图片或其他 LoRA。",
    ),
    "engine_missing": ("此版本不能绘图：缺少 {package}。", "请安装完整版。"),
    "numerical_fault": (
        "图片出现异常（{what}），未保存。",
        "请降低 LoRA 强度，或用 no_half_vae 加载模型。",
    ),
    "history_not_found": (
        "历史中没有“{id}”。",
        "history_list 显示保留的条目；未固定的旧条目会被新条目取代。",
    ),
    "picture_gone": (
        "历史条目“{id}”的图片已不在 images 文件夹中。",
        "用 repeat 和该 id 可重新绘制，或用 history_delete 删除该条目。",
    ),
    "queue_full": ("已有 {limit} 个请求在等待。", "请等待结果，或取消不再需要的请求。"),
    "dataset_invalid": (
        "训练数据不可用：{reason}。",
        "数据集是一个图片文件夹，每张图片旁有同名 .txt 说明。",
    ),
    "engine_restarted": (
        "绘图引擎已停止并重新启动。",
        "模型、风格和强度已恢复，正在重做当前请求。",
    ),
    "lora_family_in_card": (
        "“{name}”的卡片写的是 {claimed}，但其层属于 {family} 模型。",
        "以层为准；请更正 .json 文件中的 family。",
    ),
    "lora_family_in_metadata": (
        "“{name}”的元数据写的是 {claimed}，但其层属于 {family} 模型。",
        "以层为准。",
    ),
    "lora_family_in_name": (
        "文件名“{name}”写的是 {claimed}，但其层属于 {family} 模型。",
        "以层为准；请给文件改名。",
    ),
    "lora_large": ("“{name}”有 {megabytes} MB，切换时可能卡顿。", "较低秩的 LoRA 更省资源。"),
    "lora_replaced": (
        "正在使用的“{name}”文件已被替换。",
        "新文件通过安全检查后，下一张图片将使用它。",
    ),
    "style_vae_missing": (
        "“{name}”需要的 VAE“{vae}”不存在，改用模型自带的 VAE。",
        "请把该 VAE 放入模型文件夹，或在卡片中改用其他 VAE。",
    ),
    "fit_yes": ("“{name}”是为当前的 {model_family} 制作的。", "可用 switch_lora 使用。"),
    "fit_no": (
        "“{name}”是为 {lora_family} 制作的，不适用于当前的 {model_family}。",
        "请加载同一系列的模型。",
    ),
    "fit_unknown": (
        "“{name}”可能适用于 {model_family}，仅凭张量无法判断。",
        "switch_lora 会给出匹配情况。",
    ),
    "fit_no_model": ("尚未加载模型，无法判断“{name}”是否适用。", "请先调用 load_model。"),
    "lora_missing": ("这张图片所用的“{name}”已不存在或被替换。", "放回原文件即可恢复同样的风格。"),
    "nan_retry": ("半精度下图片异常，正在重新解码。", "用 no_half_vae 加载模型可避免重复解码。"),
    "prompt_truncated": (
        "提示词过长，末尾 {dropped} 个词元未被使用。",
        "此模型最多读取 {limit} 个词元，请把重要内容写在前面。",
    ),
    "history_reset": ("历史记录无法读取，已移到 {path}。", "图片本身仍在 images 文件夹中。"),
}

TEXTS: dict[str, Sentences] = {"en": ENGLISH, "zh-CN": CHINESE}


class _Missing(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


def sentence_and_hint(kind: str, fields: Mapping[str, Any], locale: str) -> tuple[str, str]:
    """The message and the hint for that kind, filled in, in that locale or in English."""
    sentences = TEXTS.get(locale, ENGLISH)
    message, hint = sentences.get(kind) or ENGLISH.get(kind) or ENGLISH["internal_error"]
    between = "、" if sentences is CHINESE else ", "
    values = _Missing({name: _readable(value, between) for name, value in fields.items()})
    return message.format_map(values), hint.format_map(values)


def _readable(value: Any, between: str) -> Any:
    if isinstance(value, list | tuple):
        return between.join(str(item) for item in cast(Sequence[Any], value))
    return value
