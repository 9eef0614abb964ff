"""Finished pictures into the history, and out again in the way that was asked for."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from sidecar.engine.contract import ImageReady
from sidecar.history.store import NewPicture
from sidecar.protocol.finishing import Delivery
from sidecar.protocol.history import HistoryChanged, HistoryEntry
from sidecar.protocol.pictures import GeneratedImage, PictureParameters
from sidecar.rpc.context import Front
from sidecar.rpc.found import check_result, tell_found
from sidecar.rpc.images import data_url
from sidecar.rpc.room import Room


def saved(
    front: Front,
    image: ImageReady,
    parameters: PictureParameters,
    made_of: bytes | None,
    spare: Collection[str] = (),
) -> HistoryEntry:
    """The new entry. `made_of`: the picture that was sent in. `spare`: see `History.add`."""
    file = Path(image.file) if image.file else None
    picture = NewPicture(
        data=image.data,
        mime=image.mime,
        width=image.width,
        height=image.height,
        thumbnail=image.thumbnail,
        parameters=parameters,
        init_image=made_of,
        file=file,
    )
    try:
        added = front.history.add(picture, spare=spare)
    finally:
        if file is not None:
            file.unlink(missing_ok=True)
    tell_history(front, "added", [added.entry.id])
    if added.evicted:
        tell_history(front, "deleted", list(added.evicted))
    tell_found(front, image.checked)
    return added.entry


def delivered(
    front: Front, entry: HistoryEntry, image: ImageReady, delivery: Delivery, room: Room
) -> GeneratedImage:
    """As a path, a data URL or both; what the message has no room for is always a path."""
    inline = delivery != "file" and room.take(entry.bytes)
    data = front.history.picture(entry.id) if inline else b""
    return GeneratedImage(
        mime=entry.mime,
        width=entry.width,
        height=entry.height,
        bytes=entry.bytes,
        path=None if inline and delivery == "inline" else entry.path,
        data_url=data_url(entry.mime, data) if inline else None,
        history_id=entry.id,
        thumbnail=entry.thumbnail,
        seed=entry.parameters.seed,
        parameters=entry.parameters,
        checks=check_result(front, image.checked),
    )


def tell_history(front: Front, reason: str, ids: list[str]) -> None:
    """Entries came or went; also says when a broken history was moved aside."""
    total = front.history.count()
    front.notify("history_changed", HistoryChanged(reason=reason, ids=ids, total=total))
    front.tell_moved_aside()
