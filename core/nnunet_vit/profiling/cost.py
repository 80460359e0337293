"""What a network costs before it is trained: measured on tensors that hold no memory.

The results are plain numbers in this light module; what measures them lies beside it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Parameters of a part of the network.

    Attributes:
        name: for people.
        parameters: how many numbers.
        trained: how many of them are trained.
        within: the part that this one is a part of, or an empty text.
    """

    name: str
    parameters: int
    trained: int
    within: str = ""


@dataclass(frozen=True)
class StepCost:
    """One training step, measured.

    Attributes:
        forward_flops: of one image's way through the network, a multiplication with its addition
            counted as two.
        step_flops: of the whole batch, forward and backward, with everything computed again.
        parameters: bytes of parameters and buffers.
        gradients: bytes.
        weight_copies: bytes of the weights in bfloat16, kept for backward.
        backbone_activations: bytes that the backbone keeps for backward.
        head_activations: bytes that the head and the loss keep for backward.
        peak: bytes of what the step makes, at most at a time: what is kept for backward, the
            gradients that are there by then, temporaries, and what checkpointing and accumulation
            compute again, one block or one part at a time.
    """

    forward_flops: int
    step_flops: int
    parameters: int
    gradients: int
    weight_copies: int
    backbone_activations: int
    head_activations: int
    peak: int

    @property
    def saved_activations(self) -> int:
        """Bytes that forward keeps for backward, copies of weights apart."""
        return self.backbone_activations + self.head_activations


@dataclass(frozen=True)
class Channel:
    """What happens to an input channel.

    Attributes:
        name: in dataset.json.
        scheme: nnU-Net's normalization, by class name.
        mean: that the network subtracts.
        std: that it divides by.
    """

    name: str
    scheme: str
    mean: float
    std: float


@dataclass(frozen=True)
class Weights:
    """Where a run's backbone starts.

    Attributes:
        name: timm's name, with its tag.
        source: where the weights come from, for people.
        licence: of the weights.
    """

    name: str
    source: str
    licence: str


@dataclass(frozen=True)
class Description:
    """A run before it is trained.

    Attributes:
        head: its name or module.
        backbone: family and size.
        tuning: the method's name and what it does.
        parts: of the network.
        adapted: kinds of layers that adapters were put into.
        depth: blocks of the ViT; 0 where the head brings a backbone of its own, so below.
        width: channels of its features.
        patch_size: edge of its patches, pixels: the stride of its features.
        image_size: (H, W) in pixels.
        batch_size: images per step.
        device: that the training step was measured for.
        precision: of that step.
        cost: of that step; None where the head could not be measured.
        memory: bytes by part, estimated at the peak of a step.
        dataset: its name, or an empty text where one was assumed.
        channels: of the images.
        statistics_from: who says what the network subtracts and divides by.
        outputs: channels of the logits.
        weights: of the backbone.
        notes: what was assumed or could not be known.
    """

    head: str
    backbone: str
    tuning: tuple[str, str]
    parts: list[Part]
    adapted: list[str]
    depth: int
    width: int
    patch_size: int
    image_size: tuple[int, int]
    batch_size: int
    device: str
    precision: str
    cost: StepCost | None
    memory: dict[str, int]
    dataset: str
    channels: list[Channel]
    statistics_from: str
    outputs: int
    weights: Weights
    notes: list[str]
