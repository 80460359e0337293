"""The network class that plans files name, so that stock nnU-Net can rebuild it.

Its path and its arguments are a public contract: every trained model's plans.json holds them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn

from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTLoRAConfig, ViTModelConfig, ViTnnUNetConfig
from nnunet_vit.errors import PluginError
from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.hookspecs import HeadOutput
from nnunet_vit.modeling.backbone import vits_of
from nnunet_vit.modeling.bridge import InputBridge
from nnunet_vit.modeling.factory import build_model
from nnunet_vit.modeling.head import Head
from nnunet_vit.modeling.loading import coverage_of, origin_of, pretrained_weights
from nnunet_vit.modeling.runtime.outputs import as_float32
from nnunet_vit.modeling.runtime.precision import autocast_of
from nnunet_vit.modeling.weights import Coverage
from nnunet_vit.tuning.adapters.adapter_names import adapted_layers
from nnunet_vit.tuning.adapters.merge import remove_adapters

CLASS_PATH = "nnunet_vit.modeling.network.ViTSegmentationNetwork"

LARGEST = 3000.0  # of a logit in prediction

_first_build: ContextVar[bool] = ContextVar("first_build", default=False)


@contextmanager
def first_build() -> Iterator[None]:
    """Read pretrained weights into the networks built inside: a training starts from nothing.

    Every other build, for prediction or to resume training, is followed by a checkpoint.
    """
    token = _first_build.set(True)
    try:
        yield
    finally:
        _first_build.reset(token)


def network_arguments(
    run: ViTnnUNetConfig,
    image_size: tuple[int, int],
    statistics: ChannelStatistics,
    *,
    cpu_bfloat16: bool = True,
) -> JsonObject:
    """Return what a run's network is built from, as plans files hold it.

    Args:
        run: resolved.
        image_size: (H, W) in pixels.
        statistics: mean and std per input channel, or three of each for a single channel.
        cpu_bfloat16: false for runs that were begun without it.
    """
    mean, std = statistics
    return {
        "model": run.model.model_dump(mode="json"),
        "lora": run.lora.model_dump(mode="json"),
        "image_size": list(image_size),
        "input_mean": mean,
        "input_std": std,
        **({"cpu_bfloat16": True} if cpu_bfloat16 else {}),
    }


class ViTSegmentationNetwork(nn.Module):
    """Input bridge, backbone and head, as nnU-Net builds, trains and predicts with them.

    Args:
        input_channels: of the preprocessed images.
        num_classes: channels of the logits (classes with background, or regions).
        model: section `model` of the run file.
        lora: section `lora` of the run file.
        image_size: (H, W) in pixels: the plans' patch size, the only size that is ever fed.
        input_mean: per input channel; for images of one channel also three: it is then repeated
            for weights that were trained on RGB.
        input_std: likewise.
        deep_supervision: return a list of logits in training, if the head can.
        cpu_bfloat16: whether `precision: auto` is bfloat16 on CPUs too that are quicker in it; the
            plans of versions before do not say it, and mean float32.
    """

    def __init__(
        self,
        input_channels: int,
        num_classes: int,
        model: JsonMapping,
        lora: JsonMapping,
        image_size: Sequence[int],
        input_mean: Sequence[float],
        input_std: Sequence[float],
        deep_supervision: bool = False,
        cpu_bfloat16: bool = False,
    ) -> None:
        """Build the network, without pretrained weights unless inside `first_build()`."""
        super().__init__()
        run = ViTnnUNetConfig(
            model=ViTModelConfig.model_validate(model), lora=ViTLoRAConfig.model_validate(lora)
        )
        height, width = image_size
        self.deep_supervision = deep_supervision
        self.num_classes = num_classes
        self.own_loss = Head(run).has_loss
        self.precision, self.cpu_bfloat16 = run.model.precision, cpu_bfloat16
        self.bridge = InputBridge(input_mean, input_std, input_channels)
        with pretrained_weights(wanted=_first_build.get() and run.model.pretrained):
            # always with its deep outputs: a network that is rebuilt for prediction, where nobody
            # asks for them, must have the parameters that training had
            self.model = build_model(
                run,
                num_classes,
                self.bridge.outputs,
                image_size=(height, width),
                deep_supervision=True,
            )

    @property
    def coverage(self) -> Coverage | None:
        """What the pretrained weights brought, the least of several backbones; None: unknown.

        It is unknown where a head reads weights itself, without `create_backbone`.
        """
        known = [coverage_of(vit) for vit in vits_of(self)]
        coverages = [coverage for coverage in known if coverage is not None]
        complete = coverages and len(coverages) == len(known)
        return min(coverages, key=lambda coverage: coverage.share) if complete else None

    @property
    def origins(self) -> list[dict[str, str]]:
        """Records of the published weights that its backbones were started from."""
        found = [origin_of(vit) for vit in vits_of(self)]
        return [record for record in found if record is not None]

    def autocast(self, device: torch.device) -> torch.autocast:
        """Return the context in which it computes on that device."""
        return autocast_of(device, self.precision, self.cpu_bfloat16)

    def load_state_dict(
        self, state_dict: JsonMapping, strict: bool = True, assign: bool = False
    ) -> Any:  # noqa: ANN401 - torch's own named tuple, which has no public name
        """Take a state, also that of a finished model, whose adapters are merged into its layers.

        Then the adapters of this network are removed first.
        """
        # merged layers bring their weights by plain names; a small checkpoint brings adapters alone
        if any(f"{layer}.weight" in state_dict for layer in adapted_layers(self.state_dict())):
            remove_adapters(self)
        return super().load_state_dict(state_dict, strict=strict, assign=assign)

    def forward(self, images: Tensor) -> HeadOutput:
        """Map images (B, C, H, W) to float32 logits (B, num_classes, H, W), or a list of them.

        In training a head with its own loss gives its own outputs instead.
        """
        with self.autocast(images.device):
            output = self.model(self.bridge(images))
        if self.training and self.own_loss:
            return as_float32(output)
        if isinstance(output, Tensor):
            return self._bounded(output)
        if not isinstance(output, list | tuple) or not output:
            raise PluginError(
                f"The head returned {type(output).__name__}; needed: logits (B, "
                f"{self.num_classes}, H, W), or a list of them, finest first."
            )
        levels = [self._bounded(level) for level in output]
        return levels if self.deep_supervision else self._finest(levels)

    def _finest(self, levels: list[Tensor]) -> Tensor:
        if not self.training or len(levels) == 1:
            return levels[0]
        # what the coarser levels alone use must get a gradient too, or several GPUs would wait
        return levels[0] + torch.stack([0 * level.sum() for level in levels[1:]]).sum()

    def _bounded(self, logits: Tensor) -> Tensor:
        # nnU-Net's predictor sums logits times 10 in half precision, which ends at 65504
        return logits.float() if self.training else logits.float().clamp(-LARGEST, LARGEST)
