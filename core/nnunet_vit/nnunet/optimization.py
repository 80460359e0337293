"""Optimizer and learning rate: AdamW or nnU-Net's SGD, warm-up, nnU-Net's decay."""

from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from nnunet_vit.config.models import ViTTrainConfig

POLY_EXPONENT = 0.9  # nnU-Net's
SGD_MOMENTUM = 0.99  # nnU-Net's


def build_optimizer(network: nn.Module, settings: ViTTrainConfig) -> Optimizer:
    """Return the optimizer of the parameters that are trained."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    rate, decay = settings.initial_lr, settings.weight_decay
    if settings.optimizer == "sgd":
        return SGD(trained, rate, weight_decay=decay, momentum=SGD_MOMENTUM, nesterov=True)
    return AdamW(trained, rate, weight_decay=decay)


class WarmupPolySchedule:
    """Sets the learning rate of each iteration: a linear rise, then nnU-Net's polynomial decay.

    The rate depends on the iteration alone, so a resumed run needs no state of it.
    """

    def __init__(self, optimizer: Optimizer, settings: ViTTrainConfig) -> None:
        """Take the lengths from the run's `train` section."""
        self.optimizer = optimizer
        self.peak = settings.initial_lr
        self.per_epoch = settings.num_iterations_per_epoch
        self.total = settings.num_epochs * self.per_epoch
        self.warmup = round(settings.warmup * self.total)
        self.iteration = 0

    def rate(self, iteration: int) -> float:
        """Return the learning rate of an iteration, counted from 0 over the whole run."""
        if iteration < self.warmup:
            return self.peak * (iteration + 1) / self.warmup
        progress = (iteration - self.warmup) / max(1, self.total - self.warmup)
        return self.peak * float(max(0.0, 1 - progress) ** POLY_EXPONENT)

    def step(self, epoch: int) -> None:
        """Start an epoch; nnU-Net's trainer calls this."""
        self.iteration = epoch * self.per_epoch
        self._set()

    def advance(self) -> None:
        """Go on to the next iteration."""
        self.iteration += 1
        self._set()

    def _set(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(self.iteration)
