"""The networks' forward passes: a share of the views for each core, or one batch on a GPU."""

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

import torch
from torch import Tensor, nn

from nnunet_vit.errors import counted
from nnunet_vit.inference.tiling.team import Networks, Team, copies_of, format_of
from nnunet_vit.modeling.runtime.cores import threads_with
from nnunet_vit.modeling.runtime.placement import place

# of a batch to begin with: larger ones are hardly faster, and a CPU's memory grows with them
VOXELS = {"cpu": 3 * 2**15, "cuda": 2**22}
# on all cores together: about 1 kB each
MOST_VOXELS = 2**22
NO_MEMORY = ("can't allocate memory", "not enough memory", "MPS backend out of memory")


class Forward:
    """Networks on a device. Several threads may use it at once.

    Attributes:
        device: to compute on.
        networks: how many there are.
        batch: how many tiles a team of networks takes at once.
        teams: how many compute at the same time.
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        tile: Sequence[int],
        device: torch.device,
        tell: Callable[[str], None],
    ) -> None:
        """Move the networks there; on the CPU, copies that share their tensors compute too."""
        self.device, self.networks, self._tell = device, len(networks), tell
        voxels, cores = torch.Size(tile).numel(), torch.get_num_threads()
        most = max(1, min(cores, MOST_VOXELS // voxels)) if device.type == "cpu" else 1
        teams = copies_of([network.eval() for network in networks], most)
        in_turn = not self._placed(teams, len(tile))
        self.batch = max(1, VOXELS.get(device.type, VOXELS["cpu"]) // voxels)
        self.teams = len(teams)
        self._free: SimpleQueue[Team] = SimpleQueue()
        for team in teams:
            self._free.put(Team(team, len(tile), device, in_turn=in_turn))
        self._taking_less = threading.Lock()
        self._pool = threads_with(cores // self.teams, self.teams) if self.teams > 1 else None

    @property
    def at_once(self) -> int:
        """How many tiles keep everything busy."""
        return self.batch * self.teams

    @torch.inference_mode()
    def __call__(self, views: Tensor) -> Tensor:
        """Return the logits (networks, B, outputs, *tile) of views (B, C, *tile).

        Raises:
            RuntimeError: not even a single view fits into memory.
        """
        while True:
            tried = self.at_once
            try:
                return self._logits(views)
            except (RuntimeError, MemoryError) as error:
                if tried == 1 or not is_of_memory(error):
                    raise
            self._take_less_than(tried)

    def _placed(self, teams: Sequence[Networks], axes: int) -> bool:
        """Move all networks to the device; where it has no memory for all, they stay on the CPU."""
        everything = [network for team in teams for network in team]
        try:
            place(everything, self.device, format_of(axes, self.device))
        except torch.cuda.OutOfMemoryError:
            if len(everything) == 1:
                raise
            place(everything, torch.device("cpu"), format_of(axes, self.device))
            torch.cuda.empty_cache()
            self._tell(f"Memory is short: the {len(everything)} folds' networks take turns.")
            return False
        return True

    def _logits(self, views: Tensor) -> Tensor:
        each = min(self.batch, -(-len(views) // self.teams))
        parts = torch.split(views, each)
        if self._pool is None or self.teams == 1 or len(parts) == 1:
            found = [self._by_team(part) for part in parts]
        else:
            found = list(self._pool.map(self._by_team, parts))
        return torch.cat(found, dim=1)

    def _by_team(self, views: Tensor) -> Tensor:
        team = self._free.get()  # of those that no other thread uses
        try:
            return team.logits(views)
        finally:
            self._free.put(team)

    def _take_less_than(self, tried: int) -> None:
        with self._taking_less:
            if self.at_once < tried:  # another thread has seen to it
                return
            if self.batch > 1:
                self.batch //= 2
            else:
                for _ in range(self.teams - 1):  # when they have done what they compute
                    self._free.get()
                self.teams = 1
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        self._tell(f"Memory is short: {counted(self.at_once, 'tile')} at once from now on.")


def is_of_memory(error: Exception) -> bool:
    """Tell whether an error says that memory ran out."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in NO_MEMORY)
