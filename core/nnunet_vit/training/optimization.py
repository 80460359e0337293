"""Optimizer and learning rates: AdamW or nnU-Net's SGD, a rate per part, warm-up and decay."""

import math

from timm.optim import param_groups_layer_decay, param_groups_weight_decay
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from nnunet_vit.checkpoints.stages import Stage
from nnunet_vit.config.models import ViTTrainConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.backbone import vits_of

NEUTRAL = {"train.backbone_lr": "null", "train.layer_decay": "1"}
POLY_EXPONENT = 0.9  # nnU-Net's
SGD_MOMENTUM = 0.99  # nnU-Net's
FUSED = ("cuda", "cpu")  # devices with a fused AdamW that is tried


def build_optimizer(network: nn.Module, settings: ViTTrainConfig) -> Optimizer:
    """Return the optimizer of the parameters that are trained."""
    groups = parameter_groups(network, settings)
    if settings.optimizer == "sgd":
        return SGD(groups, settings.initial_lr, momentum=SGD_MOMENTUM, nesterov=True)
    # one kernel where there were some for each tensor: an H100 takes 70 beside 88 ms for a step of
    # ViT-B, 46 beside 83 ms for one of ViT-S that waits for Python; a CPU 17 beside 28 ms for it
    known = all(parameter.device.type in FUSED for parameter in network.parameters())
    return AdamW(groups, settings.initial_lr, fused=True if known else None)


def parameter_groups(network: nn.Module, settings: ViTTrainConfig) -> list[JsonObject]:
    """Return the trained parameters by learning rate and weight decay, the head's first.

    Each group's `initial_lr` is its peak. Biases, norms and what timm's models name besides are not
    decayed. The rates per layer are timm's, after BEiT (https://arxiv.org/abs/2106.08254).

    Raises:
        ConfigError: the backbone has rates of its own, and the network has no ViT of timm.
    """
    backbones = vits_of(network)
    if not backbones:
        _refuse_rates_of_none(settings)
    inside = {id(parameter) for part in backbones for parameter in part.parameters()}
    head = nn.ParameterList(p for p in network.parameters() if id(p) not in inside)
    groups = _with_peak(param_groups_weight_decay(head, settings.weight_decay), settings.initial_lr)
    for part in backbones:
        of_part = param_groups_layer_decay(
            part,
            settings.weight_decay,
            no_weight_decay_list=_not_decayed(part),
            layer_decay=settings.layer_decay,
        )
        groups += _with_peak(of_part, settings.highest_backbone_lr)
    return groups


def _refuse_rates_of_none(settings: ViTTrainConfig) -> None:
    given = {
        "train.backbone_lr": settings.own_backbone_lr is not None,
        "train.layer_decay": settings.layer_decay != 1,
    }
    keys = [key for key, is_given in given.items() if is_given]
    if keys:
        raise ConfigError(
            f"{' and '.join(keys)}: this network has no ViT of timm, so nothing would take it.",
            fix=f"{' and '.join(f'{key}: {NEUTRAL[key]}' for key in keys)}, or choose a head that "
            "takes the argument `backbone`.",
        )


def _not_decayed(model: nn.Module) -> set[str]:
    named = getattr(model, "no_weight_decay", None)
    # (IA)3's factors are neutral at 1: a decay towards 0 would switch the layers off
    factors = {name for name, _ in model.named_parameters() if ".ia3_l." in name}
    return factors | (set(named()) if named is not None else set())


def _with_peak(groups: list[JsonObject], peak: float) -> list[JsonObject]:
    rates = [peak * group.pop("lr_scale", 1.0) for group in groups]
    pairs = zip(groups, rates, strict=True)
    return [{**group, "lr": rate, "initial_lr": rate} for group, rate in pairs if group["params"]]


class WarmupSchedule:
    """Sets the rates of each iteration: a linear rise, then nnU-Net's polynomial decay or a cosine.

    The rates depend on the iteration and on the training's stages alone, so a resumed run needs no
    other state of it. Each stage rises and falls by itself.
    """

    def __init__(self, optimizer: Optimizer, settings: ViTTrainConfig) -> None:
        """Take the lengths from the run's `train` section: one stage."""
        self.optimizer = optimizer
        self.decay = settings.schedule
        self.per_epoch = settings.num_iterations_per_epoch
        self.share_of_warmup = settings.warmup
        self.stages = [Stage(0, settings.num_epochs)]
        self.iteration = 0

    @property
    def progress(self) -> float:
        """Share of the training that is done, 0 to 1; a lengthened one continues where it was."""
        done = 0.0
        for stage, following in zip(self.stages, [*self.stages[1:], None], strict=True):
            until = self.iteration if following is None else following.first * self.per_epoch
            done += (1 - done) * self._share(stage, until)
        return done

    def factor(self, iteration: int) -> float:
        """Return the share of the peak rate in an iteration, counted from 0 over the whole run."""
        begun = [each for each in self.stages if each.first * self.per_epoch <= iteration]
        stage = begun[-1]
        iteration -= stage.first * self.per_epoch
        total = self._iterations(stage)
        warmup = round(self.share_of_warmup * total)
        if iteration < warmup:
            return (iteration + 1) / warmup
        progress = min(1.0, (iteration - warmup) / max(1, total - warmup))
        if self.decay == "cosine":
            return 0.5 * (1 + math.cos(math.pi * progress))
        return float((1 - progress) ** POLY_EXPONENT)

    def step(self, epoch: int) -> None:
        """Start an epoch; nnU-Net's trainer calls this."""
        self.iteration = epoch * self.per_epoch
        self._set()

    def advance(self) -> None:
        """Move to the next iteration."""
        self.iteration += 1
        self._set()

    def _set(self) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.factor(self.iteration)

    def _iterations(self, stage: Stage) -> int:
        return (stage.end - stage.first) * self.per_epoch

    def _share(self, stage: Stage, iteration: int) -> float:
        done = iteration - stage.first * self.per_epoch
        return min(1.0, done / max(1, self._iterations(stage)))
