"""Why the data folder cannot be used; see `sidecar.texts`.

The first of each pair is put into the sentence of `storage_fault`, the second is its hint.
"""

from __future__ import annotations

ENGLISH: dict[str, tuple[str, str]] = {
    "storage_fault": (
        "The data folder cannot be used: {reason}.",
        "Free some space or choose another folder with --data-dir.",
    ),
    "storage_disk_full": (
        "the disk that holds {folder} is full",
        "Free some space, or choose another folder with --data-dir.",
    ),
    "storage_not_writable": (
        "{path} may not be written (read-only, or no permission)",
        "Allow writing there, or choose another folder with --data-dir.",
    ),
    "storage_in_the_way": (
        "{path} is in the way, a file where a folder should be or the other way round",
        "Move it away, or choose another folder with --data-dir.",
    ),
    "storage_cannot_open": (
        "the history in {folder} cannot be opened or made there",
        "Look whether the folder may be written, or choose another one with --data-dir.",
    ),
    "storage_locked": (
        "another program has kept the history in {folder} locked",
        "Try again; if it stays so, close what else uses that folder.",
    ),
    "storage_history_unreadable": (
        "reading or writing the history in {folder} failed",
        "Check the disk, or choose another folder with --data-dir.",
    ),
    "storage_damaged": (
        "the history in {folder} is damaged ({detail})",
        "Check the disk; the pictures themselves are in the images folder.",
    ),
    "storage_newer": (
        "the history in {folder} was written by a newer version",
        "Use that version, or choose another folder with --data-dir.",
    ),
    "storage_system": (
        "{path}: {detail}",
        "Check the disk, or choose another folder with --data-dir.",
    ),
}

CHINESE: dict[str, tuple[str, str]] = {
    "storage_fault": (
        "数据文件夹不可用：{reason}。",
        "请释放空间，或用 --data-dir 选择其他文件夹。",
    ),
    "storage_disk_full": (
        "{folder} 所在的磁盘已满",
        "请释放空间，或用 --data-dir 选择其他文件夹。",
    ),
    "storage_not_writable": (
        "无法写入 {path}（只读或没有权限）",
        "请允许写入，或用 --data-dir 选择其他文件夹。",
    ),
    "storage_in_the_way": (
        "{path} 占用了位置：应为文件夹处是文件，或应为文件处是文件夹",
        "请将其移走，或用 --data-dir 选择其他文件夹。",
    ),
    "storage_cannot_open": (
        "无法在 {folder} 中打开或创建历史记录",
        "请检查该文件夹能否写入，或用 --data-dir 选择其他文件夹。",
    ),
    "storage_locked": (
        "{folder} 中的历史记录一直被其他程序锁定",
        "请重试；若仍如此，请关闭使用该文件夹的其他程序。",
    ),
    "storage_history_unreadable": (
        "读写 {folder} 中的历史记录失败",
        "请检查磁盘，或用 --data-dir 选择其他文件夹。",
    ),
    "storage_damaged": (
        "{folder} 中的历史记录已损坏（{detail}）",
        "请检查磁盘；图片本身仍在 images 文件夹中。",
    ),
    "storage_newer": (
        "{folder} 中的历史记录由更新的版本写入",
        "请使用该版本，或用 --data-dir 选择其他文件夹。",
    ),
    "storage_system": (
        "{path}：{detail}",
        "请检查磁盘，或用 --data-dir 选择其他文件夹。",
    ),
}
