"""Keeps the looks at a dataset's files while they are made: who interrupts them loses little."""

import time
from collections.abc import Mapping
from dataclasses import replace

from nnunet_vit.data.checking.kept_looks import KeptLooks, State, keep
from nnunet_vit.data.checks.case_look import Seen

EVERY = 15.0  # seconds; what was seen since is lost with a killed process
SHARE = 20  # of the time that a writing takes, at least, between two


class Keeping:
    """Keeps what is seen every so many seconds, and at the end, an interruption's too.

    Attributes:
        seen: of each case so far; whoever looks, in any thread, puts it here.
    """

    def __init__(
        self,
        name: str,
        kept: KeptLooks,
        states: Mapping[str, State | None],
        seen: dict[str, Seen],
    ) -> None:
        """Keep the looks at a dataset.

        Args:
            name: of the dataset.
            kept: for what, and with which reader, its files are looked at.
            states: of each case, before its files are read; None: not to be kept.
            seen: of the cases that are known already.
        """
        self.seen = seen
        self._name, self._kept, self._states = name, kept, states
        self._next = time.monotonic() + EVERY

    def __enter__(self) -> "Keeping":
        """Begin to keep."""
        return self

    def __exit__(self, *_: object) -> None:
        """Keep all that was seen, however it ended."""
        self._keep()

    def keep_at_times(self) -> None:
        """Keep what is seen, where the last time is long ago."""
        if (begun := time.monotonic()) >= self._next:
            self._keep()
            now = time.monotonic()
            self._next = now + max(EVERY, SHARE * (now - begun))

    def _keep(self) -> None:
        looks = {}
        for case, seen in list(self.seen.items()):
            state = self._states[case]
            if state is not None and not seen.faults:  # a disk may fail once
                looks[case] = (state, seen)
        keep(self._name, replace(self._kept, looks=looks))
