"""Add pictures to a history as one of several processes: FOLDER KEEP COUNT; prints the ids."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from history_samples import new_picture

from sidecar.history import History
from sidecar.paths import DataFolder

history = History(DataFolder(Path(sys.argv[1])), int(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    print(history.add(new_picture()).entry.id, flush=True)
history.close()
