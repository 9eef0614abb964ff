"""What was made: pictures on disk, their recipes in SQLite, and the recipe inside each picture.

A picture is reported only after its file and its row are durable. The images folder alone is
enough to rebuild the database, because every file carries its recipe.
"""

from sidecar.history.store import Added, History, NewPicture

__all__ = ["Added", "History", "NewPicture"]
