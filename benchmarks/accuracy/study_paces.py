"""How long a step of each method takes on a quiet core: measured once, then the same for all cells.

Minutes become steps by these numbers, so that cells of one method have equally many however busy
the machine is while they train, and cells of another day can be put beside them. They are measured
while nothing else runs: on a busy machine epochs end at another time than their line is read, and a
step looks longer or shorter than it is.
"""

import json
import threading
from collections import defaultdict


class Paces:
    """The seconds of an epoch beside its steps, and of a step, by names; kept in a file."""

    def __init__(self, path, again=False):
        """Read the file, if there is one; with `again` what it has is measured once more."""
        self.path = path
        self.known = json.loads(path.read_text()) if path.is_file() else {}
        self.stale = set(self.known) if again else set()
        self.locks, self.writing = defaultdict(threading.Lock), threading.Lock()

    def of(self, name, measure):
        """Return what is known by a name, or measure it; two who ask at once measure once."""
        with self.writing:
            lock = self.locks[name]
        with lock:
            if name in self.stale or name not in self.known:
                self._keep(name, measure())
        return self.known[name]

    def _keep(self, name, found):
        with self.writing:
            self.stale.discard(name)
            self.known[name] = [round(seconds, 3) for seconds in found]
            self.path.write_text(json.dumps(self.known, indent=1, sort_keys=True) + "\n")
