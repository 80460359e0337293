"""Layers in which patches and classes attend to each other, normalized first."""

from torch import Tensor, nn
from torch.nn import functional

HEAD_CHANNELS = 64  # about so many per attention head, as in the paper
EXPANSION = 4  # hidden channels of the perceptron, times the width


class Attention(nn.Module):
    """Self-attention of all tokens.

    Args:
        width: channels of a token.
        dropout: share of attention weights and of outputs dropped in training.
    """

    def __init__(self, width: int, dropout: float) -> None:
        """Build the linear layers; the number of heads follows from the width."""
        super().__init__()
        self.heads = heads_of(width)
        self.inputs = nn.Linear(width, 3 * width)
        self.outputs = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Mix tokens (B, N, width)."""
        split = self.inputs(tokens).unflatten(-1, (3, self.heads, -1))
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(
            queries, keys, values, dropout_p=self.dropout.p if self.training else 0.0
        )
        outputs: Tensor = self.dropout(self.outputs(mixed.transpose(1, 2).flatten(2)))
        return outputs


class Layer(nn.Module):
    """Attention, then a perceptron per token, each added to what it was given."""

    def __init__(self, width: int, dropout: float) -> None:
        """Build one layer for tokens of that width."""
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width), Attention(width, dropout))
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, EXPANSION * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(EXPANSION * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens (B, N, width) to as many."""
        tokens = tokens + self.attention(tokens)
        outputs: Tensor = tokens + self.perceptron(tokens)
        return outputs


def heads_of(width: int) -> int:
    """Return how many attention heads of at least HEAD_CHANNELS divide a width, at least one."""
    most = max(1, width // HEAD_CHANNELS)
    return max(count for count in range(1, most + 1) if width % count == 0)
