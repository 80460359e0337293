"""Which patch sizes are worth trying: in the shape of the images, bounded by tokens."""

from math import ceil, log, prod

Grid = tuple[int, int]  # patches of the ViT down and across

MOST_TOKENS = 1600  # 640 x 640 pixels in patches of 16: the largest that dense fine-tuning is
# published with; attention grows with the square of it
FEWEST_TOKENS = 256  # 256 x 256 pixels: ViTs are pretrained with 196 to 256 tokens
STEP = 0.75  # from one size to the next, in tokens: edges get shorter by an eighth
FULL = 0.9  # a grid in the images' shape may leave so much of the tokens unused


def candidates(image: tuple[int, int], vit_patch: int) -> list[tuple[int, int]]:
    """Return (H, W) in pixels, the largest first; none is larger than the image rounded up.

    Args:
        image: (H, W) of the median image, pixels.
        vit_patch: edge of the ViT's patches, pixels.
    """
    largest = (ceil(image[0] / vit_patch), ceil(image[1] / vit_patch))
    tokens = float(min(MOST_TOKENS, prod(largest)))
    grids = []
    while True:
        grids.append(grid_of(largest, int(tokens)))
        if tokens <= FEWEST_TOKENS:
            break
        tokens = max(tokens * STEP, FEWEST_TOKENS)
    return [(rows * vit_patch, columns * vit_patch) for rows, columns in dict.fromkeys(grids)]


def grid_of(largest: Grid, tokens: int) -> Grid:
    """Return the grid of at most that many tokens, nearly all used, that is shaped as the image.

    Args:
        largest: the whole image's grid, which is exceeded on no axis.
        tokens: the bound.
    """
    if prod(largest) <= tokens:
        return largest
    grids = [
        (rows, min(largest[1], tokens // rows)) for rows in range(1, min(largest[0], tokens) + 1)
    ]
    grids += [
        (min(largest[0], tokens // columns), columns)
        for columns in range(1, min(largest[1], tokens) + 1)
    ]
    most = max(map(prod, grids))
    shape = log(largest[0] / largest[1])
    full = [grid for grid in grids if prod(grid) >= FULL * most]
    return min(full, key=lambda grid: (abs(log(grid[0] / grid[1]) - shape), -prod(grid)))


def tokens_of(size: tuple[int, int], vit_patch: int) -> int:
    """Return how many patches an image of (H, W) pixels is cut into."""
    return prod(edge // vit_patch for edge in size)
