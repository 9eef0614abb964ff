"""The history: finished pictures with their recipes, the newest `keep` and every pinned one.

Limits: `keep` (at least 1) counts entries without a pin; pinned ones come on top and are never
evicted. An entry whose pin is taken away counts again, and may be evicted when the next picture
is added.
After a lost or broken database, or when pictures come back (a drive that was not there), nothing
is evicted for it: what is beyond the limit comes back pinned, so that a person decides.
"""

from __future__ import annotations

import base64
import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sidecar.errors import HistoryNotFound, PictureGone, StorageFault
from sidecar.history import rows
from sidecar.history.database import (
    NewerDatabase,
    connect,
    migrate,
    move_aside,
    pins_in_damaged,
    restart_log,
    writing,
)
from sidecar.history.faults import is_damage, is_full, storage_fault
from sidecar.history.files import remove_quietly, write_atomically
from sidecar.history.recipe import Recipe, embed, embed_in_file
from sidecar.history.reconcile import INIT_SUFFIX, SUFFIX_OF_MIME, collect_garbage, reconcile
from sidecar.history.rows import Row
from sidecar.paths import DataFolder
from sidecar.protocol.history import HistoryEntry
from sidecar.protocol.pictures import PictureParameters

T = TypeVar("T")

ADOPTED_AFTER_A_CRASH = 2
"""A crash leaves one picture without a row for each sidecar; more came back from elsewhere."""


@dataclass(frozen=True)
class NewPicture:
    """A finished picture, encoded. `thumbnail`: WebP. `init_image`: what it was made of.

    `file`: where a PNG lies, instead of in `data`; it is copied.
    """

    data: bytes
    mime: str
    width: int
    height: int
    thumbnail: bytes
    parameters: PictureParameters
    init_image: bytes | None = None
    file: Path | None = None


@dataclass(frozen=True)
class Added:
    """A durable entry, and the ids that made room for it."""

    entry: HistoryEntry
    evicted: tuple[str, ...]


class History:
    """Thread-safe; two processes may use one data folder.

    Nothing is touched before the first use. Every method raises StorageFault when the data folder
    cannot be used. A broken database is moved aside (`moved_aside`) and rebuilt from the pictures.
    """

    def __init__(self, data: DataFolder, keep: int) -> None:
        self.moved_aside: Path | None = None
        self._data = data
        self._keep = max(1, keep)
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._db_identity: tuple[int, int] | None = None

    def add(self, picture: NewPicture, spare: Collection[str] = ()) -> Added:
        """Store a picture: the file first, then the row; on return both are durable.

        `spare`: ids that do not make room for it, such as the other pictures of one request, which
        may be more than are kept.
        """
        entry_id = _new_id()
        return self._run(lambda db: self._add(db, entry_id, picture, spare))

    def entry(self, id: str) -> HistoryEntry:
        return self._run(lambda db: _found(db, id)).entry(self._data.images)

    def entries(self, limit: int, offset: int) -> tuple[list[HistoryEntry], int]:
        """A page of entries, newest first, and how many there are in all."""

        def read(db: sqlite3.Connection) -> tuple[list[Row], int]:
            return rows.newest(db, limit, offset), rows.count(db)

        page, total = self._run(read)
        return [row.entry(self._data.images) for row in page], total

    def pin(self, id: str, pinned: bool) -> HistoryEntry:
        """Keep an entry for good, or no longer."""

        def change(db: sqlite3.Connection) -> Row:
            with writing(db):
                _found(db, id)
                rows.set_pin(db, [id], pinned)
                return _found(db, id)

        return self._run(change).entry(self._data.images)

    def delete(self, id: str) -> list[str]:
        """Delete an entry, also a pinned one, with its files."""

        def discard(db: sqlite3.Connection) -> list[str]:
            _found(db, id)
            return self._discard(db, lambda: [id])

        return self._run(discard)

    def clear(self, include_pinned: bool) -> list[str]:
        """Delete all entries without a pin, or all of them; the ids, oldest first."""
        return self._run(lambda db: self._discard(db, lambda: rows.ids(db, include_pinned)))

    def picture(self, id: str) -> bytes:
        """The encoded picture. Raises PictureGone when its file was deleted by hand."""
        file = self._run(lambda db: _found(db, id)).file
        return self._read(file, id)

    def init_image(self, id: str) -> bytes | None:
        """The encoded initial picture of an img2img entry, else None."""
        file = self._run(lambda db: _found(db, id)).init_file
        return None if file is None else self._read(file, id)

    def count(self) -> int:
        return self._run(rows.count)

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    # ------------------------------------------------------------------ writing

    def _add(
        self, db: sqlite3.Connection, entry_id: str, picture: NewPicture, spare: Collection[str]
    ) -> Added:
        images = self._data.images
        written: list[Path] = []
        try:
            with writing(db):
                collect_garbage(db, images)
                row, data = _prepared(entry_id, rows.next_sequence(db), picture)
                if row.init_file is not None and picture.init_image is not None:
                    written.append(images / row.init_file)
                    write_atomically(written[-1], picture.init_image)
                written.append(images / row.file)
                write_atomically(written[-1], data)
                rows.insert(db, row)
                evicted = [i for i in rows.over_limit(db, self._keep) if i not in spare]
                files = rows.discard(db, evicted)
        except BaseException:
            for path in reversed(written):
                remove_quietly(path)
            raise
        self._remove(files)
        return Added(row.entry(images), tuple(evicted))

    def _discard(self, db: sqlite3.Connection, choose: Callable[[], list[str]]) -> list[str]:
        """On a full disk not even a deletion can be noted: then the files go first, and the log is
        written from its start. Should we die in between, a row without its picture is dropped at
        the next opening."""
        try:
            return self._discard_rows(db, choose)
        except sqlite3.Error as exc:
            if not is_full(exc):
                raise
            self._remove(rows.files_of(db, choose()))
            restart_log(db)
            return self._discard_rows(db, choose)

    def _discard_rows(self, db: sqlite3.Connection, choose: Callable[[], list[str]]) -> list[str]:
        with writing(db):
            collect_garbage(db, self._data.images)
            chosen = choose()
            files = rows.discard(db, chosen)
        self._remove(files)
        return chosen

    def _remove(self, files: Iterable[str]) -> None:
        """What cannot be removed now stays listed as garbage and goes with the next change."""
        for name in files:
            remove_quietly(self._data.images / name)

    def _read(self, file: str, entry_id: str) -> bytes:
        try:
            return (self._data.images / file).read_bytes()
        except FileNotFoundError as exc:
            raise PictureGone(id=entry_id) from exc
        except OSError as exc:
            raise storage_fault(exc, self._data.root) from exc

    # ------------------------------------------------------------------ opening

    def _run(self, action: Callable[[sqlite3.Connection], T]) -> T:
        """`action` on the open database; once more after a broken one was moved aside."""
        with self._lock:
            try:
                try:
                    return action(self._open())
                except (sqlite3.Error, UnicodeDecodeError) as exc:
                    if not is_damage(exc):
                        raise
                    self._move_aside()
                    return action(self._open())
            except (OSError, sqlite3.Error) as exc:
                raise storage_fault(exc, self._data.root) from exc

    def _open(self) -> sqlite3.Connection:
        if self._db is not None and self._identity() == self._db_identity:
            return self._db
        self.close()  # the folder was moved or deleted under us: do not write into nowhere
        self._data.images.mkdir(parents=True, exist_ok=True)
        db = connect(self._data.database)
        try:
            self._prepare(db)
        except NewerDatabase as exc:
            db.close()
            raise StorageFault(cause="newer", folder=str(self._data.root)) from exc
        except BaseException:
            db.close()
            raise
        self._db, self._db_identity = db, self._identity()
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        images = self._data.images
        with writing(db):
            is_new = migrate(db)
            adopted = reconcile(db, images)
            if is_new:
                rows.set_pin(db, pins_in_damaged(self._data.database), True)
            if is_new or adopted > ADOPTED_AFTER_A_CRASH:
                rows.set_pin(db, rows.over_limit(db, self._keep), True)
            rows.discard(db, rows.over_limit(db, self._keep))
            collect_garbage(db, images)

    def _move_aside(self) -> None:
        self.close()
        self.moved_aside = move_aside(self._data.database)

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._data.database)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


def _found(db: sqlite3.Connection, entry_id: str) -> Row:
    row = rows.find(db, entry_id)
    if row is None:
        raise HistoryNotFound(id=entry_id)
    return row


def _prepared(
    entry_id: str, sequence: int, picture: NewPicture
) -> tuple[Row, bytes | Iterable[bytes]]:
    """The row of a new entry, and the picture's bytes with its recipe inside."""
    created = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    recipe = Recipe(
        id=entry_id,
        sequence=sequence,
        created=created,
        width=picture.width,
        height=picture.height,
        parameters=picture.parameters,
        thumbnail=base64.b64encode(picture.thumbnail).decode(),
    )
    size, data = _encoded(picture, recipe)
    row = Row(
        seq=sequence,
        id=entry_id,
        created=created,
        pinned=False,
        file=entry_id + SUFFIX_OF_MIME.get(picture.mime, ".img"),
        init_file=entry_id + INIT_SUFFIX if picture.init_image is not None else None,
        mime=picture.mime,
        width=picture.width,
        height=picture.height,
        bytes=size,
        thumbnail=picture.thumbnail,
        parameters=picture.parameters,
    )
    return row, data


def _encoded(picture: NewPicture, recipe: Recipe) -> tuple[int, bytes | Iterable[bytes]]:
    """How large it will be with its recipe, and the bytes themselves."""
    if picture.file is not None:
        return embed_in_file(picture.file, recipe)
    data = embed(picture.data, picture.mime, recipe)
    return len(data), data


def _new_id() -> str:
    """Sortable by time, as the files are in a folder view; the order itself is `seq`."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return f"{stamp}-{os.urandom(4).hex()}"
