"""EoMT (https://arxiv.org/abs/2503.19108): the ViT itself is the mask transformer."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from nnunet_vit.blocks.mask_classification import semantic_logits
from nnunet_vit.modeling.backbone import ViTBackbone
from nnunet_vit.modeling.tokens import Tokens
from nnunet_vit_eomt.annealing import Annealing
from nnunet_vit_eomt.prediction import Prediction, Stage, upsamplings_to

MASKED_FROM = 0.5  # the least probability at which a block masks in prediction
QUERY_SCALE = 0.02  # at the paper's 1 they drown at first what the blocks add to them


class EomtSegmentation(nn.Module):
    """A backbone whose last blocks hold queries beside the patches.

    Args:
        backbone: built, loaded and tuned.
        num_classes: channels of the logits.
        queries: number of masks that can be found.
        query_blocks: number of last blocks that queries pass; a shallower ViT's take all.
        mask_stride: pixels between the values of a mask, about.
        annealing: when masks leave the attention.

    Attributes:
        masking: probability that a query is masked, one for each of the query blocks.
    """

    masking: Tensor

    def __init__(
        self,
        backbone: ViTBackbone,
        num_classes: int,
        queries: int,
        query_blocks: int,
        mask_stride: int,
        annealing: Annealing,
    ) -> None:
        """Build queries and their predictions for the backbone's width and depth."""
        super().__init__()
        backbone.check_runs_by_blocks()
        self.backbone = backbone
        self.query_blocks = min(query_blocks, backbone.depth)
        self.annealing = annealing
        self.queries = nn.Parameter(QUERY_SCALE * torch.randn(1, queries, backbone.embed_dim))
        unnormalized = isinstance(backbone.model.norm, nn.Identity)
        self.normalization = nn.LayerNorm(backbone.embed_dim) if unnormalized else nn.Identity()
        upsamplings = upsamplings_to(mask_stride, backbone.patch_size)
        self.prediction = Prediction(backbone.embed_dim, num_classes, upsamplings)
        self.register_buffer("masking", torch.ones(self.query_blocks))
        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            _after_loading
        )
        self.anneal(0.0)

    def anneal(self, progress: float) -> None:
        """Set the probabilities of masking for a share of the training that is done."""
        probabilities = self.annealing.probabilities(progress, self.query_blocks)
        self.masking.copy_(torch.tensor(probabilities))
        self.follow(probabilities)

    def follow(self, probabilities: Sequence[float]) -> None:
        """Decide by the probabilities where masks are computed at all.

        Beside the buffer, because a graph cannot branch on a tensor's values.
        """
        self.masked = tuple(probability >= MASKED_FROM for probability in probabilities)
        self.any_masked = any(probabilities)

    def forward(self, images: Tensor) -> Tensor | list[Stage]:
        """Map images (B, C, H, W) to logits (B, num_classes, H, W); in training to stages."""
        stages = self.stages(images)
        if self.training:
            return stages
        last = stages[0]
        size = (images.shape[-2], images.shape[-1])
        return semantic_logits(last["class_logits"], last["mask_logits"], size)

    def stages(self, images: Tensor) -> list[Stage]:
        """Predict behind the last block, and before each query block from the last to the first.

        In eval mode only before those that mask.
        """
        first = self.backbone.depth - self.query_blocks
        tokens = self.backbone.run_blocks(self.backbone.embed(images), 0, first)
        tokens = tokens.with_added(self.queries)
        stages: list[Stage] = []
        for number in range(self.query_blocks):
            attention_mask = None
            if self.training or self.masked[number]:
                stages.insert(0, self._predict(tokens))
                attention_mask = self._attention_mask(tokens, stages[0]["mask_logits"], number)
            block = first + number
            tokens = self.backbone.run_blocks(tokens, block, block + 1, attention_mask)
        return [self._predict(tokens), *stages]

    def _predict(self, tokens: Tokens) -> Stage:
        tokens = self.backbone.normalized(tokens)
        tokens = replace(tokens, values=self.normalization(tokens.values))
        stage: Stage = self.prediction(tokens.added, tokens.maps)
        return stage

    def _attention_mask(self, tokens: Tokens, mask_logits: Tensor, number: int) -> Tensor | None:
        """Let queries look at the patches that their own masks hold, and at no others.

        Class token, registers and queries they see in any case: an empty mask is no fault.
        """
        if not self.any_masked:
            return None
        masks = functional.interpolate(mask_logits.detach(), size=tokens.grid, mode="bilinear")
        seen = masks.flatten(2) > 0  # (B, Q, patches)
        if self.training:
            drawn = torch.rand(*seen.shape[:2], 1, device=seen.device)
            seen = seen | (drawn >= self.masking[number])
        count = tokens.values.shape[1]
        first_query = count - seen.shape[1]
        allowed = seen.new_ones(seen.shape[0], count, count)
        allowed[:, first_query:, tokens.prefix : first_query] = seen
        return allowed


def _after_loading(model: nn.Module, _: object) -> None:
    assert isinstance(model, EomtSegmentation)
    if not model.masking.is_meta:
        model.follow(model.masking.tolist())
