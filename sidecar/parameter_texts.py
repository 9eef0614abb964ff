"""What a parameter must be; see `sidecar.texts`.

Keys are pydantic's types of errors, or, for rules of our own, their English words. The phrases
follow the path of a field and a colon.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ENGLISH: dict[str, str] = {
    "missing": "is required",
    "extra_forbidden": "there is no such field",
    "meant": "there is no such field (did you mean “{meant}”?)",
    "string_type": "must be a string",
    "string_unicode": "must be a string of whole characters",
    "string_too_short": "must have at least {min_length} character",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "too_long": "must have at most {max_length} entries, not {actual_length}",
    "model_type": "must be an object",
    "literal_error": "must be {expected}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "not_an_object": "params must be an object",
    "which": "say which one: {names}",
}

CHINESE: dict[str, str] = {
    "missing": "必须填写",
    "extra_forbidden": "没有这个字段",
    "meant": "没有这个字段（是否想写“{meant}”？）",
    "string_type": "必须是字符串",
    "string_unicode": "必须是完整字符组成的字符串",
    "string_too_short": "至少要有 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "int_type": "必须是整数",
    "int_parsing": "必须是整数",
    "int_parsing_size": "太大了",
    "int_from_float": "必须是整数",
    "float_type": "必须是数字",
    "float_parsing": "必须是数字",
    "finite_number": "必须是有限的数字",
    "bool_type": "必须是 true 或 false",
    "bool_parsing": "必须是 true 或 false",
    "list_type": "必须是列表",
    "too_long": "最多 {max_length} 项，现有 {actual_length} 项",
    "model_type": "必须是对象",
    "literal_error": "必须是 {expected}",
    "greater_than": "必须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than": "必须小于 {lt}",
    "less_than_equal": "不得大于 {le}",
    "multiple_of": "必须是 {multiple_of} 的倍数",
    "not_an_object": "params 必须是对象",
    "which": "请指明是哪一个：{names}",
    "give either path or data_url": "path 和 data_url 请二选一",
    "each LoRA may stand once in a stack": "同一个 LoRA 在组合中只能出现一次",
    "give name (null for none) or loras": "请给出 name（null 表示不用风格）或 loras",
    "give either name and alpha, or loras": "name 与 alpha、loras 请二选一",
}

PHRASES = {"en": ENGLISH, "zh-CN": CHINESE}


def phrase(problem: str, values: Mapping[str, Any], locale: str) -> str:
    """What is wrong with a parameter, in that locale or in English; unknown problems are told by
    their own words, `values["words"]`, else as they are."""
    known = PHRASES.get(locale, ENGLISH).get(problem) or ENGLISH.get(problem)
    if known is None:
        return str(values.get("words", problem))
    if locale == "zh-CN" and "expected" in values:
        values = {**values, "expected": str(values["expected"]).replace(" or ", " 或 ")}
    return known.format_map(values)
