"""What draw.py draws: each head's boxes and arrows, in its default variant.

Columns count from 0 at the ViT's right; rows are the ViT's blocks, 0 is the image. In `arrows`
`a > b` arrives at b's side, `a ^ b` from above or below; a number is a block, `image` the image.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """One step of a head.

    Attributes:
        column: where its first column is.
        row: the block that it is beside.
        text: up to three lines; a `+` alone is drawn as a sum, ` x ` as a multiplication sign.
        stride: of the map that it gives.
        kind: as in draw.KINDS.
        columns: how many it spans.
    """

    column: float
    row: float
    text: str
    stride: str = ""
    kind: str = "learned"
    columns: float = 1


@dataclass(frozen=True)
class Picture:
    """One head.

    Attributes:
        summary: one line.
        boxes: by a name for the arrows.
        arrows: chains of names.
        taps: blocks whose maps the head takes.
        inside: blocks that compute with tokens of the head.
    """

    summary: str
    boxes: dict[str, Box]
    arrows: list[str]
    taps: tuple[int, ...] = (12,)
    inside: tuple[int, ...] = ()


FOUR = (3, 6, 9, 12)
PICTURES: dict[str, Picture] = {}


def logits(column: float, row: float, text: str = "bilinear\nto the image") -> Box:
    """Return the box that every head ends with."""
    return Box(column, row, text, "1", "logits")


PICTURES["linear"] = Picture(
    "The last map, classified patch by patch.",
    {
        "normalize": Box(0, 12, "group norm", "p"),
        "classify": Box(1, 12, "1 x 1\nclasses", "p"),
        "logits": logits(2, 12),
    },
    ["12 > normalize > classify > logits"],
)

PICTURES["segformer"] = Picture(
    "Four maps fused by linear layers; refined at each doubling beside convolutions on the image.",
    {
        **{f"level{block}": Box(0, block, "group norm\nlinear", "p") for block in FOUR},
        "fuse": Box(1, 7.5, "side by side\nlinear", "p"),
        **{
            f"refine{step}": Box(1 + step, 7.5, "bilinear x 2\n3 x 3", stride)
            for step, stride in enumerate(("p/2", "p/4", "p/8", "1"), start=1)
        },
        "detail": Box(2, 0, "3 x 3 convolutions on the image, from 1 down to p/2", "", columns=4),
        "logits": logits(6, 7.5, "1 x 1\nclasses"),
    },
    [
        *(f"{block} > level{block} > fuse" for block in FOUR),
        "fuse > refine1 > refine2 > refine3 > refine4 > logits",
        "image > detail",
        *(f"detail ^ refine{step}" for step in (1, 2, 3, 4)),
    ],
    FOUR,
)

PICTURES["upernet"] = Picture(
    "Four maps become a pyramid; context is pooled at its coarsest, passed down, and all is fused.",
    {
        "up4": Box(0, 3, "norm, 2 x 2\ndeconvolution\ntwice", "p/4"),
        "up2": Box(0, 6, "norm, 2 x 2\ndeconvolution", "p/2"),
        "same": Box(0, 9, "norm", "p"),
        "half": Box(0, 12, "norm\nmean of 2 x 2", "2p"),
        **{f"lateral{block}": Box(1, block, "1 x 1") for block in (3, 6, 9)},
        "pool": Box(1, 12, "means over\n1 4 9 36 cells\n3 x 3", "2p"),
        **{f"sum{block}": Box(2, block, "+", kind="plain") for block in (3, 6, 9)},
        "smooth3": Box(3, 3, "3 x 3", "p/4"),
        "smooth6": Box(3, 6, "3 x 3", "p/2"),
        "smooth9": Box(3, 9, "3 x 3", "p"),
        "fuse": Box(4, 3, "side by side\n3 x 3", "p/4"),
        "classify": Box(5, 3, "1 x 1\nclasses", "p/4"),
        "logits": logits(6, 3),
    },
    [
        "3 > up4 > lateral3 > sum3 > smooth3 > fuse > classify > logits",
        "6 > up2 > lateral6 > sum6 > smooth6 ^ fuse",
        "9 > same > lateral9 > sum9 > smooth9 ^ fuse",
        "12 > half > pool ^ sum9 ^ sum6 ^ sum3",
        "pool ^ fuse",
    ],
    FOUR,
)

PICTURES["dpt"] = Picture(
    "Four maps, each with the class token, set to four strides and fused from coarse to fine.",
    {
        **{
            f"read{block}": Box(0, block, "norm, linear\nwith the\nclass token", "p")
            for block in FOUR
        },
        "set3": Box(1, 3, "1 x 1, 4 x 4\ndeconvolution\n3 x 3", "p/4"),
        "set6": Box(1, 6, "1 x 1, 2 x 2\ndeconvolution\n3 x 3", "p/2"),
        "set9": Box(1, 9, "1 x 1\n3 x 3", "p"),
        "set12": Box(1, 12, "1 x 1, 3 x 3\nmean of 2 x 2\n3 x 3", "2p"),
        "fuse12": Box(2, 12, "residual\nconvolutions\nbilinear x 2", "p"),
        "fuse9": Box(2, 9, "sum, residual\nconvolutions\nbilinear x 2", "p/2"),
        "fuse6": Box(2, 6, "sum, residual\nconvolutions\nbilinear x 2", "p/4"),
        "fuse3": Box(2, 3, "sum, residual\nconvolutions\nbilinear x 2", "p/8"),
        "classify": Box(3, 3, "3 x 3\n1 x 1\nclasses", "p/8"),
        "logits": logits(4, 3),
    },
    [
        *(f"{block} > read{block} > set{block} > fuse{block}" for block in FOUR),
        "fuse12 ^ fuse9 ^ fuse6 ^ fuse3 > classify > logits",
    ],
    FOUR,
)

PICTURES["unetr"] = Picture(
    "A U-Net whose encoder is the ViT: three shallower maps and the image join on the way up.",
    {
        "normalize": Box(0, 12, "group norm", "p"),
        "skip9": Box(1, 9, "2 x 2 deconv.\nblock", "p/2"),
        "skip6": Box(1, 6, "2 x 2 deconv.\nblock, each twice", "p/4", columns=2),
        "skip3": Box(1, 3, "2 x 2 deconv.\nblock, each three times", "p/8", columns=3),
        "detail": Box(1, 0, "residual block on the image", "1", columns=4),
        "step1": Box(1, 12, "2 x 2 deconv.\nside by side\nblock", "p/2"),
        "step2": Box(2, 12, "2 x 2 deconv.\nside by side\nblock", "p/4"),
        "step3": Box(3, 12, "2 x 2 deconv.\nside by side\nblock", "p/8"),
        "step4": Box(4, 12, "2 x 2 deconv.\nside by side\nblock", "1"),
        "logits": logits(5, 12, "1 x 1\nclasses"),
    },
    [
        "12 > normalize > step1 > step2 > step3 > step4 > logits",
        "9 > skip9 ^ step1",
        "6 > skip6 ^ step2",
        "3 > skip3 ^ step3",
        "image > detail ^ step4",
    ],
    FOUR,
)

PICTURES["primus"] = Picture(
    "The last map, each patch expanded to its pixels by itself.",
    {
        "normalize": Box(0, 12, "layer norm", "p"),
        **{
            f"expand{step}": Box(step, 12, "2 x 2\ndeconvolution\nnorm, GELU", stride)
            for step, stride in enumerate(("p/2", "p/4", "p/8"), start=1)
        },
        "logits": logits(4, 12, "2 x 2\ndeconvolution\nto classes"),
    },
    ["12 > normalize > expand1 > expand2 > expand3 > logits"],
)

PICTURES["setr"] = Picture(
    "The last map, refined by a convolution before each doubling.",
    {
        "first": Box(0, 12, "norm\n3 x 3", "p"),
        **{
            f"double{step}": Box(step, 12, "bilinear x 2\n3 x 3", stride)
            for step, stride in enumerate(("p/2", "p/4", "p/8"), start=1)
        },
        "classify": Box(4, 12, "1 x 1\nclasses", "p/8"),
        "logits": logits(5, 12),
    },
    ["12 > first > double1 > double2 > double3 > classify > logits"],
)

PICTURES["segmenter"] = Picture(
    "A token per class attends to the patches; its mask is how much each part is like the class.",
    {
        "project": Box(0, 12, "norm\nlinear", "p"),
        "classes": Box(0, 9, "one token\nper class"),
        "layers": Box(1, 12, "2 layers of\nself-attention\nnorm", "p", "attention"),
        "patch": Box(2, 12, "patches: 2 x 2\ndeconvolution\ntwice, linear", "p/4"),
        "class": Box(2, 9, "classes:\nlinear"),
        "product": Box(3, 12, "cosines of\nboth: masks", "p/4", "plain"),
        "scale": Box(4, 12, "scale and\nshift of masks", "p/4"),
        "logits": logits(5, 12),
    },
    [
        "12 > project > layers > patch > product > scale > logits",
        "classes > layers > class ^ product",
    ],
)

PICTURES["dino_unet"] = Picture(
    "Convolutions on the image read the ViT's maps by local attention; then a U-Net's way up.",
    {
        "detail": Box(
            0, 0, "detail: 3 x 3 on the image, halved from level to level, 1 to 2p", columns=6
        ),
        **{
            f"read{block}": Box(0, block, "p/2, p and 2p\nread the map\nnear by", kind="attention")
            for block in FOUR
        },
        **{
            f"up{step}": Box(step, 7.5, "bilinear x 2\nside by side\n3 x 3 twice", stride)
            for step, stride in enumerate(("p", "p/2", "p/4", "p/8", "1"), start=1)
        },
        "logits": logits(6, 7.5, "1 x 1 of each\nlevel, added"),
    },
    [
        *(f"{block} > read{block}" for block in FOUR),
        "image > detail ^ read3 ^ read6 ^ read9 ^ read12 ^ up1 > up2 > up3 > up4 > up5 > logits",
        "read12 ^ up2",
        *(f"detail ^ up{step}" for step in (3, 4, 5)),
    ],
    FOUR,
)

PICTURES["eomt"] = Picture(
    "Queries pass the ViT's last blocks beside its patches; each becomes a class and a mask.",
    {
        "queries": Box(0, 7.5, "learned\nqueries"),
        "limit": Box(0, 10, "in training\nmasks limit\nattention", kind="attention"),
        "norm": Box(0, 12, "the ViT's\nlast norm"),
        "class": Box(1, 6, "queries: linear\nclasses"),
        "embed": Box(1, 9, "queries: linear\nthree times"),
        "upscale": Box(1, 12, "patches: 2 x 2\ndeconvolution\ntwice", "p/4"),
        "product": Box(2, 12, "masks: product\nof both", "p/4", "plain"),
        "resize": Box(3, 12, "bilinear\nto the image", "1", "plain"),
        "logits": logits(4, 12, "sum of\nclass x mask"),
    },
    [
        "queries > 9",
        "limit > 10",
        "12 > norm > upscale > product > resize > logits",
        "norm > class ^ logits",
        "norm > embed ^ product",
    ],
    (),
    (9, 10, 11, 12),
)

PICTURES["mask2former"] = Picture(
    "Deformable attention over three strides; queries attend inside the masks that they predict.",
    {
        **{name: PICTURES["upernet"].boxes[name] for name in ("up4", "up2", "same", "half")},
        "lateral": Box(1, 3, "1 x 1", "p/4"),
        "mix": Box(1, 9, "1 x 1 each\ndeformable\nattention", "p/2 p 2p", "attention"),
        "sum": Box(2, 3, "+", kind="plain"),
        "queries": Box(2, 12, "learned\nqueries"),
        "pixels": Box(3, 3, "3 x 3\n1 x 1", "p/4"),
        "ask": Box(3, 9, "attention\ninside masks\n3 layers", kind="attention"),
        "embed": Box(4, 6, "linear\nthree times"),
        "class": Box(4, 9, "linear\nclasses"),
        "product": Box(4, 3, "masks: product\nof both", "p/4", "plain"),
        "resize": Box(5, 3, "bilinear\nto the image", "1", "plain"),
        "logits": logits(6, 3, "sum of\nclass x mask"),
    },
    [
        "3 > up4 > lateral > sum > pixels > product > resize > logits",
        "6 > up2 > mix",
        "9 > same > mix > ask > class ^ logits",
        "12 > half > mix ^ sum",
        "queries > ask > embed ^ product",
    ],
    FOUR,
)
