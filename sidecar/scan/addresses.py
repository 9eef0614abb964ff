"""URLs and e-mail addresses in text, and which of them are at home in a LoRA file."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NUMBERS = rb"\d{1,3}(?:\.\d{1,3}){3}(?![A-Za-z0-9-]|\.[A-Za-z0-9])|\[[0-9A-Fa-f:.]{2,45}\]"
_NAME = rb"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){0,8}[A-Za-z0-9-]{2,62}"
_HOST = rb"(?:" + _NUMBERS + rb"|" + _NAME + rb")"
_END = rb"(?:[/?#][!-~]{0,200})?"
_URL = re.compile(
    rb"(?i)(?:\b(?:https?|ftp|wss?|tg)://(?:[^\s/@\x7f-\xff]{1,64}@)?"
    + _HOST
    + rb"(?::\d{1,5})?"
    + _END
    + rb")"
    rb"|(?:\bwww\.[a-z0-9-]{2,62}(?:\.[a-z0-9-]{2,62}){0,6}\.[a-z]{2,24}" + _END + rb")"
)
# Common endings only: among random bytes any two letters come up now and then.
_MAIL = re.compile(
    rb"(?i)[a-z0-9][a-z0-9._%+-]{2,62}@[a-z0-9](?:[a-z0-9-]{0,62}\.){0,6}[a-z0-9-]{2,62}"
    rb"\.(?:com|net|org|info|biz|edu|gov|io|ai|me|co|app|dev|art|xyz|top|vip|club|shop|site"
    rb"|online|live|win|bet|cc|tv|pro|ru|cn|jp|de|uk|fr|br|in|kr|tw|hk|us|eu)(?![a-z0-9])"
)

KNOWN_HOSTS = (
    "apache.org",
    "arxiv.org",
    "civitai.com",
    "creativecommons.org",
    "doi.org",
    "github.com",
    "gitlab.com",
    "gnu.org",
    "hf.co",
    "huggingface.co",
    "modelscope.cn",
    "opensource.org",
    "pytorch.org",
    "spdx.org",
    "stability.ai",
    "w3.org",
)
"""Where models, code, papers and licences live. A link there is what honest trainers write."""

CONTACT_KEYS = ("author", "license", "licence", "contact", "copyright", "maintainer")
"""In the value of such a metadata key an e-mail address is what one expects."""


def urls(data: bytes) -> Iterator[tuple[int, str]]:
    """Offset and text of each URL."""
    for found in _URL.finditer(data):
        yield found.start(), found.group().decode("ascii", "replace").rstrip(".,;)]}'\"\\")


def mails(data: bytes) -> Iterator[tuple[int, str]]:
    """Offset and text of each e-mail address."""
    for found in _MAIL.finditer(data):
        yield found.start(), found.group().decode("ascii", "replace")


def is_known(url: str) -> bool:
    """Whether it leads to one of the known hosts or below; what stands before an @ is no host."""
    place = re.split(r"[/?#]", url.partition("://")[2] or url, maxsplit=1)[0]
    host = place.rpartition("@")[2].partition(":")[0].lower()
    return any(host == known or host.endswith(f".{known}") for known in KNOWN_HOSTS)


def is_contact(key: str) -> bool:
    """Whether a metadata key is for the people behind a file."""
    return any(word in key.lower() for word in CONTACT_KEYS)
