"""Sentences about enlarging, enhancing and checking pictures; see `sidecar.texts`."""

from __future__ import annotations

ENGLISH: dict[str, tuple[str, str]] = {
    "image_unreadable": (
        "The picture cannot be read: {reason}.",
        "Send a PNG, JPEG or WebP file, or a data URL with base64.",
    ),
    "unreadable_format": (
        "its format is {format}",
        "Save it as PNG or JPEG in the program that shows it, and send that.",
    ),
    "unreadable_no_picture": ("it is no PNG, JPEG or WebP picture", ""),
    "unreadable_empty": ("the file is empty", "Save or copy it once more."),
    "unreadable_truncated": ("its end is missing", "Save, copy or download it once more."),
    "unreadable_damaged": (
        "what is in it is damaged",
        "Save it anew in a program that still opens it, or send another copy.",
    ),
    "unreadable_data_url": ("the data URL is not of the form data:image/…;base64,…", ""),
    "unreadable_base64": ("its base64 is broken", ""),
    "unreadable_bytes": (
        "the file is larger than 64 MiB",
        "Save it as JPEG or WebP, or make it smaller first.",
    ),
    "unreadable_relative": (
        "its path is not absolute",
        "Send the whole path, or the picture itself as data_url.",
    ),
    "unreadable_not_a_file": ("{path} is not a file", ""),
    "unreadable_gone": ("there is no file {path}", "Look whether it was moved or renamed."),
    "unreadable_forbidden": (
        "{path} may not be opened",
        "Give the account that runs this program the right to read it, or copy the file elsewhere.",
    ),
    "unreadable_file": ("{path}: {said}", ""),
    "image_too_large": (
        "The picture is {width}×{height}; at most {millions} million pixels are taken.",
        "Make it smaller first.",
    ),
    "image_too_large_enlarged": (
        "The picture is {width}×{height}; to be enlarged {scale} times it may have"
        " {millions} million pixels.",
        "scale: {fits} takes it as it is; or make it smaller first.",
    ),
    "network_fault": (
        "The network “{network}” made no picture of it, and nothing was kept.",
        "Choose another network; list_models has them under `upscalers`.",
    ),
    "content_blocked": (
        "The picture was held back: {found}.",
        "Change the prompt or the picture; what is looked for is set with `checks`.",
    ),
    "content_found": (
        "In the picture there is something to look at: {found}.",
        "data and the answer's `checks` say where; set the check to off to hear no more of it.",
    ),
    "image_tiny": (
        "The picture is {width}×{height}; there is too little in it to make better.",
        "Send one of at least {least} pixels a side, or enlarge this one with `upscale`.",
    ),
    "image_blank": (
        "The picture is of one colour all over; there is nothing in it to make better.",
        "Send another picture, or repeat the request with anyway: true.",
    ),
    "image_blurred": (
        "The picture is blurred beyond what can be brought back.",
        "Look for a sharper original, or repeat the request with anyway: true.",
    ),
    "provider_fallback": (
        "{provider} could not be used for super-resolution; {instead} is used instead.",
        "The result is the same, only slower. A newer driver may help.",
    ),
    "enhance_asked": ("This path was asked for.", "path: “auto” lets the sidecar choose."),
    "enhance_gpu": (
        "There is a GPU and a model, so the picture was redrawn with its style.",
        "path: “onnx” only sharpens it.",
    ),
    "enhance_no_gpu": (
        "This machine has no GPU, so the picture was sharpened by super-resolution.",
        "path: “diffusion” redraws it with model and style, which takes longer.",
    ),
    "enhance_no_model": (
        "No model is loaded, so the picture was sharpened by super-resolution.",
        "Call load_model first to have it redrawn.",
    ),
    "upscale_asked": ("Enlarged by super-resolution.", ""),
    "plan_asked": (
        "Drawn at {width}×{height} and enlarged {upscale} times, as was asked for.",
        "upscale: 1 draws at full size.",
    ),
    "plan_no_gpu": (
        "Without a GPU it pays to draw at {width}×{height}, near the model's own size, and to"
        " enlarge {upscale} times.",
        "upscale: 1 draws at full size.",
    ),
    "found_nsfw": ("nudity or the like", ""),
    "found_codes": ("a QR code or bar code", ""),
    "found_text": ("writing or a web address", ""),
}

CHINESE: dict[str, tuple[str, str]] = {
    "image_unreadable": (
        "图片无法读取：{reason}。",
        "请发送 PNG、JPEG 或 WebP 文件，或 base64 的 data URL。",
    ),
    "unreadable_format": ("它的格式是 {format}", "请用能打开它的程序另存为 PNG 或 JPEG 后再发送。"),
    "unreadable_no_picture": ("它不是 PNG、JPEG 或 WebP 图片", ""),
    "unreadable_empty": ("文件是空的", "请重新保存或复制。"),
    "unreadable_truncated": ("文件末尾缺失", "请重新保存、复制或下载。"),
    "unreadable_damaged": ("内容已损坏", "请用仍能打开它的程序另存，或换一份副本。"),
    "unreadable_data_url": ("data URL 的格式应为 data:image/…;base64,…", ""),
    "unreadable_base64": ("base64 内容已损坏", ""),
    "unreadable_bytes": ("文件超过 64 MiB", "请另存为 JPEG 或 WebP，或先缩小图片。"),
    "unreadable_relative": ("路径不是绝对路径", "请发送完整路径，或用 data_url 直接发送图片。"),
    "unreadable_not_a_file": ("{path} 不是文件", ""),
    "unreadable_gone": ("文件 {path} 不存在", "请检查它是否已被移动或改名。"),
    "unreadable_forbidden": (
        "没有权限打开 {path}",
        "请授予运行本程序的账户读取权限，或把文件复制到别处。",
    ),
    "unreadable_file": ("{path}：{said}", ""),
    "image_too_large": (
        "图片为 {width}×{height}，最多接受 {myriads} 万像素。",
        "请先缩小图片。",
    ),
    "image_too_large_enlarged": (
        "图片为 {width}×{height}；放大 {scale} 倍时最多接受 {myriads} 万像素。",
        "scale: {fits} 可直接处理；或先缩小图片。",
    ),
    "network_fault": (
        "网络“{network}”没有生成正常的图片，结果未保留。",
        "请换一个网络；list_models 的 `upscalers` 列出了可用的网络。",
    ),
    "content_blocked": (
        "图片已被拦截：{found}。",
        "请修改提示词或更换图片；检查项由 `checks` 设置。",
    ),
    "content_found": (
        "图片中有需要留意的内容：{found}。",
        "结果中的 `checks` 给出位置；将该检查设为 off 即不再提示。",
    ),
    "image_tiny": (
        "图片只有 {width}×{height}，内容太少，无法增强。",
        "请发送每边至少 {least} 像素的图片，或用 `upscale` 放大。",
    ),
    "image_blank": ("图片只有一种颜色，没有可增强的内容。", "请换一张，或带上 anyway: true。"),
    "image_blurred": ("图片过于模糊，无法恢复。", "请找更清晰的原图，或带上 anyway: true 重试。"),
    "provider_fallback": (
        "{provider} 无法用于超分辨率，改用 {instead}。",
        "结果相同，只是更慢；更新驱动可能有帮助。",
    ),
    "enhance_asked": ("按请求采用此方式。", "path: “auto” 由程序选择。"),
    "enhance_gpu": ("本机有 GPU 且已加载模型，因此按其风格重绘。", "path: “onnx” 只做锐化。"),
    "enhance_no_gpu": (
        "本机没有 GPU，因此用超分辨率使图片更清晰。",
        "path: “diffusion” 会用模型和风格重绘，但更慢。",
    ),
    "enhance_no_model": (
        "尚未加载模型，因此用超分辨率使图片更清晰。",
        "先调用 load_model 即可重绘。",
    ),
    "upscale_asked": ("已用超分辨率放大。", ""),
    "plan_asked": (
        "按请求先绘制 {width}×{height}，再放大 {upscale} 倍。",
        "upscale: 1 直接绘制。",
    ),
    "plan_no_gpu": (
        "没有 GPU 时，先按接近模型自身的 {width}×{height} 绘制，再放大 {upscale} 倍更划算。",
        "upscale: 1 直接绘制。",
    ),
    "found_nsfw": ("裸露等不宜内容", ""),
    "found_codes": ("二维码或条形码", ""),
    "found_text": ("文字或网址", ""),
}
