"""Findings in words, in each locale. They are phrases that follow the name of a file."""

from __future__ import annotations

from sidecar.scan.findings import Finding
from sidecar.texts import DEFAULT_LOCALE

ENGLISH: dict[str, str] = {
    "empty": "it is empty",
    "not_safetensors": "it is not a safetensors file",
    "cut_off": "it is cut off: some of the bytes its header names are missing",
    "bad_json": "its header is not valid JSON ({detail})",
    "bad_tensor": "{detail}",
    "metadata_not_text": "its metadata “{where}” is not text",
    "not_finite": "{where} holds NaN or infinite numbers",
    "foreign_file": "it is {detail} under another name",
    "header_bomb": "its header is made to exhaust its reader ({detail})",
    "duplicate_keys": "its header names “{where}” twice, so two readers may see two files",
    "bad_layout": "its tensors overlap or leave holes, where something may be hidden",
    "hidden_bytes": "bytes that belong to no tensor follow its data",
    "polyglot": "it is a zip archive at the same time",
    "executable": "it carries a program ({detail}) among its numbers",
    "encoded_executable": "its metadata “{where}” carries {detail} in base64",
    "active_content": "its metadata “{where}” carries what a browser would run ({detail})",
    "address_in_bytes": "its numbers spell an address: {detail}",
    "address": "“{where}” names the address {detail}",
    "known_address": "“{where}” names {detail}",
    "odd_key": "its metadata has the key “{where}”, which programs may mistake for a command",
    "odd_name": "the tensor “{where}” has a name made to mislead",
    "odd_characters": "“{where}” has invisible or direction-changing characters",
    "odd_entry": "the tensor “{where}” has more in the header than its type, shape and place",
    "odd_dtype": "the tensor “{where}” is of type {detail}, which no LoRA has",
    "odd_shape": "the tensor “{where}” has the shape {detail}",
    "large_metadata": "its metadata “{where}” is {detail} long",
    "empty_tensor": "the tensor “{where}” is empty",
}

CHINESE: dict[str, str] = {
    "empty": "文件为空",
    "not_safetensors": "不是 safetensors 文件",
    "cut_off": "文件不完整：缺少文件头中所列的部分数据",
    "bad_json": "文件头不是有效的 JSON（{detail}）",
    "bad_tensor": "张量描述有误（{detail}）",
    "metadata_not_text": "元数据“{where}”不是文本",
    "not_finite": "{where} 含有 NaN 或无穷大",
    "foreign_file": "它其实是{detail}，只是改了名字",
    "header_bomb": "文件头旨在耗尽读取程序的资源（{detail}）",
    "duplicate_keys": "文件头中“{where}”出现两次，不同程序可能读到不同内容",
    "bad_layout": "张量相互重叠或留有空隙，可能藏有内容",
    "hidden_bytes": "数据之后还有不属于任何张量的字节",
    "polyglot": "它同时也是一个 zip 压缩包",
    "executable": "数值中夹带了程序（{detail}）",
    "encoded_executable": "元数据“{where}”以 base64 夹带了{detail}",
    "active_content": "元数据“{where}”含有浏览器或命令行会执行的内容（{detail}）",
    "address_in_bytes": "数值中拼出了网址或邮箱：{detail}",
    "address": "“{where}”中有网址或邮箱 {detail}",
    "known_address": "“{where}”提到 {detail}",
    "odd_key": "元数据键“{where}”可能被程序误当作命令",
    "odd_name": "张量“{where}”的名称有误导性",
    "odd_characters": "“{where}”含有不可见或改变文字方向的字符",
    "odd_entry": "张量“{where}”在文件头中有多余的内容",
    "odd_dtype": "张量“{where}”的类型是 {detail}，LoRA 不会使用",
    "odd_shape": "张量“{where}”的形状是 {detail}",
    "large_metadata": "元数据“{where}”长达 {detail}",
    "empty_tensor": "张量“{where}”为空",
}

SENTENCES = {"en": ENGLISH, "zh-CN": CHINESE}


def phrase(finding: Finding, locale: str = DEFAULT_LOCALE) -> str:
    """What was found, in words of that locale, else in English."""
    sentence = SENTENCES.get(locale, ENGLISH)[finding.kind]
    return sentence.format(where=finding.where, detail=finding.detail)
