"""Which views there are, and which of them a step gets: by the run's seed alone.

Views are made in batches as nnU-Net makes them, each for one place in a batch: its last places are
forced to show foreground. Each case has as many views as another, within one, of each kind.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnunet_vit.files.array_type import Array

VIEWS, DRAWS = 1, 2  # streams of random numbers beside those of batches, which have no third number


class ViewPlan:
    """The views of a training.

    Attributes:
        seed: of the run.
        lots: number of batches that the views are made in.
        batch: views in each.
    """

    def __init__(
        self, cases: Sequence[str], forced: Sequence[bool], views: int, *, seed: int
    ) -> None:
        """Spread the cases over the places of as many batches as they need.

        Args:
            cases: of the training.
            forced: by place in a batch, whether nnU-Net forces foreground there.
            views: of each case, at least.
            seed: of the run.
        """
        self.cases, self.seed, self.batch = sorted(cases), seed, len(forced)
        self.lots = -(-views * len(self.cases) // self.batch)
        self.kinds = np.asarray(forced, bool)
        random = np.random.default_rng([seed, 0, VIEWS])
        self._table = np.empty((self.lots, self.batch), np.int64)
        for kind in (False, True):
            places = np.flatnonzero(self.kinds == kind)
            needed = self.lots * len(places)
            rounds = -(-needed // len(self.cases))
            order = [random.permutation(len(self.cases)) for _ in range(rounds)]
            spread = np.concatenate([np.empty(0, np.int64), *order])[:needed]
            self._table[:, places] = spread.reshape(self.lots, len(places))
        self._by_case = [self._views_of(kind) for kind in (False, True)]

    @property
    def count(self) -> int:
        """How many views there are."""
        return self.lots * self.batch

    def cases_of(self, lot: int) -> list[str]:
        """Return the case of each view of a lot."""
        return [self.cases[number] for number in self._table[lot]]

    def case_of(self, view: int) -> str:
        """Return a view's case."""
        return self.cases[self._table.flat[view]]

    def of_step(self, step: int) -> list[int]:
        """Return the views of a step (counted from 0): a lot each, and then drawn ones.

        As in nnU-Net a case is drawn for each place, and then one of its views of that kind.
        """
        if step < self.lots:
            return list(range(step * self.batch, (step + 1) * self.batch))
        random = np.random.default_rng([self.seed, step, DRAWS])
        return [self._drawn(self._by_case[int(kind)], random) for kind in self.kinds]

    def _views_of(self, kind: bool) -> "list[Array]":
        """Return the views of one kind of each case that has any."""
        views = np.flatnonzero(np.broadcast_to(self.kinds == kind, self._table.shape))
        cases = self._table.flat[views]
        _, ends = np.unique(np.sort(cases), return_index=True)
        return np.split(views[np.argsort(cases, kind="stable")], ends[1:])

    @staticmethod
    def _drawn(by_case: "list[Array]", random: np.random.Generator) -> int:
        return int(random.choice(by_case[random.integers(len(by_case))]))
