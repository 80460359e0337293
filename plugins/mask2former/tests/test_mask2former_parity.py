"""With transformers' weights both decoders compute what transformers' Mask2Former computes."""

import re

import pytest
import torch
from oracle_weights import renamed
from torch import nn

pytestmark = pytest.mark.unit

WIDTHS = [24, 40, 56, 72]
QUERIES, CLASSES = 7, 4
PIXEL_NAMES = (
    (r"^encoder\.", ""),
    (r"^level_embed$", "level_embedding"),
    (r"^input_projections\.", "projections."),
    (r"^adapter_1\.", "lateral."),
    (r"^layer_1\.", "smooth."),
    (r"^mask_projection\.", "to_masks."),
    (r"self_attn_layer_norm", "attention_norm"),
    (r"final_layer_norm", "norm"),
    (r"fc1", "widen"),
    (r"fc2", "narrow"),
    (r"self_attn\.sampling_offsets", "attention.offsets"),
    (r"self_attn\.attention_weights", "attention.weights"),
    (r"self_attn\.value_proj", "attention.values"),
    (r"self_attn\.output_proj", "attention.output"),
)
QUERY_NAMES = (
    (r"^queries_embedder\.weight", "query_positions"),
    (r"^queries_features\.weight", "queries"),
    (r"^level_embed\.weight", "level_embedding"),
    (r"^decoder\.", ""),
    (r"^layernorm\.", "norm."),
    (r"^mask_predictor\.mask_embedder\.0\.0\.", "to_mask.0."),
    (r"^mask_predictor\.mask_embedder\.1\.0\.", "to_mask.2."),
    (r"^mask_predictor\.mask_embedder\.2\.0\.", "to_mask.4."),
    (r"cross_attn_layer_norm", "to_pixels_norm"),
    (r"self_attn_layer_norm", "to_queries_norm"),
    (r"final_layer_norm", "norm"),
    (r"fc1", "widen"),
    (r"fc2", "narrow"),
    (r"cross_attn\.out_proj", "to_pixels.output"),
    (r"self_attn\.out_proj", "to_queries.output"),
    (r"self_attn\.([qkv])_proj", r"to_queries.\1_proj"),
    (r"q_proj", "query"),
    (r"k_proj", "key"),
    (r"v_proj", "value"),
)


def with_three_projections(state, names):
    """Return their state by our names; the cross attention keeps three layers in one weight."""
    ours = {}
    for name, value in state.items():
        packed = re.fullmatch(r"(.*)cross_attn\.in_proj_(weight|bias)", name)
        if packed:
            for kind, part in zip("qkv", value.chunk(3), strict=True):
                ours[f"{packed[1]}to_pixels.{kind}_proj.{packed[2]}"] = part
        else:
            ours[name] = value
    return renamed(ours, names)


def randomized(module):
    """Random numbers everywhere, of a scale that lives through many layers."""
    for name, value in module.state_dict().items():
        if "sampling_offsets" in name:
            value.normal_(std=0.5)
        elif value.dim() > 1 and not re.match(r"queries_|level_embed", name):
            nn.init.xavier_normal_(value)
        elif name.endswith("weight") and value.dim() == 1:
            value.uniform_(0.5, 1.5)
        else:
            value.normal_(std=0.5)


def far(ours, theirs):
    """Return the largest difference relative to the largest value."""
    assert ours.shape == theirs.shape
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


@pytest.fixture
def oracle():
    """`oracle(**settings)` returns transformers' configuration and its module's names."""
    reason = "the oracle is not installed"
    module = pytest.importorskip(
        "transformers.models.mask2former.modeling_mask2former", reason=reason
    )
    from transformers.models.mask2former.configuration_mask2former import Mask2FormerConfig
    from transformers.models.swin.configuration_swin import SwinConfig

    def build(hidden=256, heads=8, encoder_layers=2, decoder_layers=4):
        config = Mask2FormerConfig(
            backbone_config=SwinConfig(),
            feature_size=hidden,
            mask_feature_size=hidden,
            hidden_dim=hidden,
            num_attention_heads=heads,
            encoder_layers=encoder_layers,
            decoder_layers=decoder_layers + 1,
            encoder_feedforward_dim=96,
            dim_feedforward=192,
            num_queries=QUERIES,
        )
        return module, config

    return build


def feature_maps(rows, columns, batch=2):
    """Four maps, finest first; an odd edge is halved to the next integer."""
    sizes = [(4 * rows, 4 * columns), (2 * rows, 2 * columns), (rows, columns)]
    sizes.append(((rows + 1) // 2, (columns + 1) // 2))
    return [torch.randn(batch, width, *size) for width, size in zip(WIDTHS, sizes, strict=True)]


def pixel_decoders(module, config):
    from nnunet_vit_mask2former.pixel_decoder import PixelDecoder

    theirs = module.Mask2FormerPixelDecoder(config, WIDTHS).eval()
    randomized(theirs)
    heads, layers = config.num_attention_heads, config.encoder_layers
    ours = PixelDecoder(WIDTHS, config.feature_size, layers, heads, 96, 4, 0.0).eval()
    ours.load_state_dict(with_three_projections(theirs.state_dict(), PIXEL_NAMES))  # strict
    return ours, theirs


def query_decoders(module, config):
    from nnunet_vit_mask2former.query_decoder import QueryDecoder

    theirs = module.Mask2FormerTransformerModule(config.feature_size, config).eval()
    randomized(theirs)
    heads, layers = config.num_attention_heads, config.decoder_layers - 1
    ours = QueryDecoder(CLASSES, config.hidden_dim, QUERIES, layers, heads, 192, 0.0).eval()
    state = with_three_projections(theirs.state_dict(), QUERY_NAMES)
    classifier = {n: v for n, v in ours.state_dict().items() if n.startswith("classifier.")}
    ours.load_state_dict(state | classifier)  # strict; their classifier is a layer outside
    return ours, theirs


@pytest.mark.parametrize("size", [(4, 6), (5, 3), (1, 1)])
def test_the_pixel_decoder(oracle, size):
    torch.manual_seed(0)
    with torch.no_grad():
        ours, theirs = pixel_decoders(*oracle())
        maps = feature_maps(*size)
        masks, attended = ours(maps)
        expected = theirs(maps, return_dict=True)
    assert far(masks, expected.mask_features) <= 1e-5
    assert len(attended) == len(expected.multi_scale_features) == 3
    for one, other in zip(attended, expected.multi_scale_features, strict=True):
        assert far(one, other) <= 1e-5
        assert other.std() > 0.1


def dividing(decoder):
    """Return a feature that some of the queries want everywhere, and others nowhere."""
    wanted = decoder.to_mask(decoder.norm(decoder.queries))
    mean = wanted.mean(dim=0)
    other = wanted[0] - wanted[0] @ mean / (mean @ mean) * mean  # the queries' sum does not care
    return 10 * other / (other @ other)


@pytest.mark.parametrize("size", [(4, 6), (5, 3)])
@pytest.mark.parametrize("hidden", [32, 256])
def test_the_query_decoder(oracle, size, hidden):
    """All stages; some of the masks are empty at some of the levels."""
    torch.manual_seed(1)
    with torch.no_grad():
        ours, theirs = query_decoders(*oracle(hidden))
        maps = [torch.randn(2, hidden, *level.shape[-2:]) for level in feature_maps(*size)]
        finest, *attended = maps
        finest = 0.1 * finest + dividing(ours)[:, None, None]
        stages = ours(attended[::-1], finest)
        expected = theirs(attended[::-1], finest)
    masks, states = expected.masks_queries_logits, expected.intermediate_hidden_states
    assert len(stages) == len(masks) == len(states) == 5
    coarse = [
        nn.functional.interpolate(mask, size=attended[-1].shape[-2:], mode="bilinear")
        for mask in masks
    ]
    empty = torch.stack(coarse).flatten(3).amax(dim=-1) < 0
    assert empty.any() and not empty.all()
    for stage, mask, state in zip(stages, masks, states, strict=True):
        assert far(stage.mask_logits, mask) <= 1e-5
        logits = ours.classifier(state.transpose(0, 1))
        assert far(stage.class_logits, logits) <= 1e-5


@pytest.mark.parametrize("size", [(4, 6), (3, 7)])
def test_both_in_a_row_with_the_sizes_of_the_paper(oracle, size):
    torch.manual_seed(2)
    with torch.no_grad():
        module, config = oracle(encoder_layers=6, decoder_layers=9)
        our_pixels, their_pixels = pixel_decoders(module, config)
        our_queries, their_queries = query_decoders(module, config)
        maps = feature_maps(*size, batch=1)
        pixels, attended = our_pixels(maps)
        stages = our_queries(attended, pixels)
        theirs = their_pixels(maps, return_dict=True)
        expected = their_queries(theirs.multi_scale_features, theirs.mask_features)
    for stage, mask in zip(stages, expected.masks_queries_logits, strict=True):
        assert far(stage.mask_logits, mask) <= 1e-5
    last = our_queries.classifier(expected.intermediate_hidden_states[-1].transpose(0, 1))
    assert far(stages[-1].class_logits, last) <= 1e-5
