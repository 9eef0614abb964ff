"""Sentences about enlarging, enhancing and checking pictures; see `sidecar.texts`."""

from __future__ import annotations

ENGLISH: dict[str, tuple[str, str]] = {
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
