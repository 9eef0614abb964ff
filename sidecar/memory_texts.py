"""What people read about memory: its lack, what would fit instead, and what was done about it."""

from __future__ import annotations

ENGLISH: dict[str, tuple[str, str]] = {
    "out_of_memory": (
        "There is not enough memory for this.",
        "Make the picture smaller, use low_vram, or close other programs.",
    ),
    "out_of_memory_foretold": (
        "This needs {needed_mb} MB of memory; {free_mb} MB can be had. Nothing was started.",
        "Make the picture smaller, use low_vram, or close other programs.",
    ),
    "out_of_memory_ways": ("", "What fits: {ways}."),
    "memory_retry": (
        "Memory ran out; the request is being done again with less of it ({rung}).",
        "It takes longer now. Smaller pictures or set_low_vram avoid it.",
    ),
    "way_low_vram": ("the same picture more slowly, with low_vram “{low_vram}”", ""),
    "way_smaller_upscaled": ("{width}×{height}, enlarged {upscale} times", ""),
    "way_smaller": ("{width}×{height}", ""),
    "way_lighter_network": ("the network “{network}”, which takes less memory", ""),
    "way_lower_scale": ("enlarging {scale} times only", ""),
}

CHINESE: dict[str, tuple[str, str]] = {
    "out_of_memory": ("内存不足。", "请减小图片尺寸，使用 low_vram，或关闭其他程序。"),
    "out_of_memory_foretold": (
        "需要 {needed_mb} MB 内存，可用 {free_mb} MB，任务未开始。",
        "请减小图片尺寸，使用 low_vram，或关闭其他程序。",
    ),
    "out_of_memory_ways": ("", "可行的做法：{ways}。"),
    "memory_retry": (
        "内存用尽，正在以更省内存的方式（{rung}）重做请求。",
        "速度会变慢。减小图片或使用 set_low_vram 可避免这种情况。",
    ),
    "way_low_vram": ("用 low_vram“{low_vram}”生成同样的图片，只是更慢", ""),
    "way_smaller_upscaled": ("{width}×{height}，再放大 {upscale} 倍", ""),
    "way_smaller": ("{width}×{height}", ""),
    "way_lighter_network": ("改用更省内存的网络“{network}”", ""),
    "way_lower_scale": ("只放大 {scale} 倍", ""),
}
