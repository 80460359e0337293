"""Real steps of a run's network, with random weights on random images."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from nnunet_vit.data.dataset import has_regions
from nnunet_vit.inference.tiling.forward import is_of_memory
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.network import ViTSegmentationNetwork, network_arguments
from nnunet_vit.modeling.output_check import output_scales
from nnunet_vit.modeling.runtime.cpu_training.substitutes import quick_steps
from nnunet_vit.modeling.runtime.microbatches import checkpoint_blocks, forward_in_microbatches
from nnunet_vit.profiling.assumptions import Tile
from nnunet_vit.profiling.measured_run import Measured, training_loss
from nnunet_vit.registry.plugins import plugin_failures
from nnunet_vit.training.optimization import build_optimizer

SLOW = 30.0  # seconds: after such a step another one is not waited for
ENOUGH = 10.0  # seconds of steps that follow the first one: other programs slow some down
MOST = 12
LABEL = 16  # pixels: edge of the made-up objects


@dataclass(frozen=True)
class NetworkSeconds:
    """What a run's network takes.

    Attributes:
        step: seconds of a training step.
        validation: seconds of a validation step.
        tile: seconds of one image, as the final validation predicts it.
        steps: training steps that were done.
        scales: [H, W] of each resolution that the loss sees, in parts of the image.
        peak: bytes that were allocated at most; None: the device does not say.
    """

    step: float
    validation: float
    tile: float
    steps: int
    scales: list[list[float]]
    peak: int | None


def measured_steps(measured: Measured, tile: Tile, device: str) -> NetworkSeconds | int:
    """Do at least one training step and return what it took; everything is freed afterwards.

    Args:
        measured: the run.
        tile: what a step is fed with.
        device: of this machine, for torch; a GPU is the current one.

    Returns:
        The seconds; or, where memory ended, the bytes that were allocated by then.

    Raises:
        UserError: the network cannot be built, or its head fails.
    """
    on_gpu = device.startswith("cuda")
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    try:
        with plugin_failures("A training step on random images"):
            try:
                return _steps(measured, tile, device)
            except RuntimeError as error:
                if is_of_memory(error):  # of a class that is not torch's own
                    raise torch.OutOfMemoryError(str(error)) from None
                raise
    except torch.OutOfMemoryError:
        return torch.cuda.max_memory_allocated() if on_gpu else 0
    finally:
        gc.collect()
        if on_gpu:
            torch.cuda.empty_cache()


def _steps(measured: Measured, tile: Tile, device: str) -> NetworkSeconds:
    network = _network(measured, tile, device)
    images = torch.randn(tile.batch, network.bridge.channels, *tile.size, device=device)
    scales = output_scales(network.eval(), images[:1])
    step = _TrainingStep(network, measured, tile, images=images)
    taken = _repeated(step, device)
    network.eval()
    with torch.no_grad():
        validation = _repeated(lambda: _classes(network, images), device)
        one = _repeated(lambda: _classes(network, images[:1]), device)
    return NetworkSeconds(
        step=_typical(taken),
        validation=_typical(validation),
        tile=_typical(one),
        steps=len(taken),
        scales=scales[:1] if network.own_loss else scales,
        peak=torch.cuda.max_memory_allocated() if device.startswith("cuda") else None,
    )


def _network(measured: Measured, tile: Tile, device: str) -> ViTSegmentationNetwork:
    """Build the network as training does, with random weights."""
    dataset, run = measured.dataset, measured.run
    with torch.device(device):
        network = ViTSegmentationNetwork(
            len(dataset.description["channel_names"]),
            dataset.number_of_outputs(),
            deep_supervision=Head(run).deep_supervision,
            **network_arguments(run, tile.size, measured.statistics),
        )
    if run.train.gradient_checkpointing:
        checkpoint_blocks(network)
    return network.to(device)


class _TrainingStep:
    """A step as the trainer does it."""

    def __init__(
        self, network: ViTSegmentationNetwork, measured: Measured, tile: Tile, *, images: Tensor
    ) -> None:
        settings = measured.run.train
        self.network, self.images, self.settings = network.train(), images, settings
        self.head = Head(measured.run)
        self.optimizer = build_optimizer(network, settings)
        regions = has_regions(measured.dataset.description)
        labels = _Labels(network.num_classes, regions, images.device)
        self.loss = training_loss(network, measured, tile, target=labels)
        trained = [each for each in network.parameters() if each.requires_grad]
        self.averaged = [each.detach().clone() for each in trained] if settings.ema else []

    def __call__(self) -> None:
        self.head.on_training_step(self.network.model, 0.0)
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.settings.gradient_accumulation
        with quick_steps(self.images.device):
            loss = self.loss(forward_in_microbatches(self.network, self.images, parts))
            torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.gradient_clip)
        self.optimizer.step()


@dataclass(frozen=True)
class _Labels:
    """Makes random masks of squares, in the types that nnU-Net's transforms leave."""

    classes: int
    regions: bool
    device: torch.device

    def __call__(self, batch: int, channels: int, height: int, width: int) -> Tensor:
        rows, columns = -(-height // LABEL), -(-width // LABEL)
        most = 2 if self.regions else self.classes
        drawn = torch.randint(most, (batch, channels, rows, columns), device=self.device)
        whole = drawn.repeat_interleave(LABEL, 2).repeat_interleave(LABEL, 3)
        return whole[..., :height, :width].to(torch.bool if self.regions else torch.int16)


def _classes(network: nn.Module, images: Tensor) -> None:
    output = network(images)
    (output[0] if isinstance(output, list) else output).argmax(1)


def _repeated(step: Callable[[], None], device: str) -> list[float]:
    """Return the seconds of each of a few steps, or of one that is slow."""
    taken: list[float] = []
    while not taken or (
        taken[0] < SLOW and (len(taken) < 2 or (sum(taken[1:]) < ENOUGH and len(taken) < MOST))
    ):
        started = perf_counter()
        step()
        if not device.startswith("cpu"):
            (torch.cuda if device.startswith("cuda") else torch.mps).synchronize()
        taken.append(perf_counter() - started)
    return taken


def _typical(taken: list[float]) -> float:
    """Return the median of what follows the first step, which makes more than one."""
    return median(taken[1:] or taken)
