"""An average of the trained weights over the training, which often segments better than the last.

Exponential moving average as in https://arxiv.org/abs/1703.01780, with a decay that starts small,
so that a short run's average does not hold on to its random start.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from nnunet_vit.training.callback import Training, TrainingCallback

WARMUP = 10  # updates until the decay is at half of its way


class AveragedWeights:
    """The average of a network's trained parameters; frozen ones need none.

    Attributes:
        updates: how many steps it holds.
        values: the average by parameter name; while `in_network`, the trained weights themselves.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        """Start from the network's present weights."""
        self.decay = decay
        self.updates = 0
        self._parameters = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self.values = {n: p.detach().clone() for n, p in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights after a step into the average."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + WARMUP))
        torch._foreach_lerp_(list(self.values.values()), list(self._parameters.values()), 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Put the average into the network and keep the trained weights, or the other way round."""
        for name, parameter in self._parameters.items():
            kept = parameter.detach().clone()
            parameter.copy_(self.values[name])
            self.values[name].copy_(kept)

    @contextmanager
    def in_network(self) -> Iterator[None]:
        """Let the network compute with the average for a while."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    @torch.no_grad()
    def restore(self, trained: dict[str, Tensor], updates: int) -> None:
        """Resume: the network holds the average, `trained` the weights of the last step."""
        for name, parameter in self._parameters.items():
            self.values[name].copy_(parameter)
            parameter.copy_(trained[name])
        self.updates = updates


class WeightAveraging(TrainingCallback):
    """Keeps the average of the weights where `train.ema` asks; it is what is validated and kept.

    Attributes:
        average: of the trained weights; None: the run keeps none, or has no network yet.
    """

    order = 20
    average: AveragedWeights | None = None

    def on_network_built(self, training: Training) -> None:
        """Begin with the first weights."""
        if training.run.train.ema:
            self.average = AveragedWeights(training.bare_network, training.run.train.ema)

    def on_step_end(self, training: Training, loss: float) -> None:
        """Take the step's weights in."""
        if self.average is not None:
            self.average.update()

    def on_validation_start(self, training: Training) -> None:
        """Validate the average: it is what is kept."""
        if self.average is not None:
            self.average.swap()

    def on_validation_end(self, training: Training) -> None:
        """Go back to the weights that are trained."""
        if self.average is not None:
            self.average.swap()

    def in_network(self) -> AbstractContextManager[None]:
        """Let the network compute with the average for a while, if there is one."""
        return nullcontext() if self.average is None else self.average.in_network()

    def stop(self) -> None:
        """Keep no average any more: the network holds a finished one."""
        self.average = None


CALLBACK = WeightAveraging
