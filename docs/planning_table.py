"""Write the planner's choices for datasets of many shapes into docs/planning.md.

    python docs/planning_table.py

The sizes are stated here and no data are needed; it takes some minutes. The table stands between
`<!-- plans -->` and `<!-- end -->`.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.errors import ConfigError
from nnunet_vit.planning.choice import Choice
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.memory_limit import limit_of
from nnunet_vit.planning.meter import Meter
from nnunet_vit.planning.plan_run import plan_for
from nnunet_vit.planning.planned_run_file import PlannedFile
from nnunet_vit.quantities import sizes_text
from nnunet_vit.report.progress import Progress

PAGE = Path(__file__).with_name("planning.md")
TABLE = re.compile(r"(<!-- plans -->\n).*?(<!-- end -->)", re.DOTALL)
MEMORY = (8, 16, 24, 48, 80)  # GB
RGB, GREY = ("R", "G", "B"), ("CT",)


@dataclass(frozen=True)
class Stated:
    """A dataset that is planned for by its sizes.

    Attributes:
        name: what it is.
        image: (H, W) of the median image, pixels.
        cases: how many.
        slices: of one case.
        channels: their names.
        classes: with the background.
        defence: why the choice is right.
    """

    name: str
    image: tuple[int, int]
    cases: int
    defence: str
    slices: int = 1
    channels: tuple[str, ...] = RGB
    classes: int = 2

    @property
    def size(self) -> DatasetSize:
        """What the planner sees."""
        return DatasetSize(self.image, self.cases, self.cases * self.slices)

    def dataset(self) -> Dataset:
        """Return a dataset without files."""
        names = {"RGB": "rgb_to_0_1", "CT": "CT"}
        kind = names["CT" if self.channels == GREY else "RGB"]
        description = {
            "channel_names": {str(number): kind for number in range(len(self.channels))},
            "labels": {"background": 0}
            | {f"class_{number}": number for number in range(1, self.classes)},
        }
        return Dataset(self.name, description, None)


STATED = (
    Stated(
        "tiny images",
        (64, 64),
        5000,
        "16 tokens are the whole image; more than 32 of them would need other rates",
    ),
    Stated(
        "nuclei",
        (256, 256),
        670,
        "the whole image in 256 tokens, what ViTs are pretrained with; 32 images, as above",
    ),
    Stated(
        "8 small images",
        (128, 128),
        8,
        "more than 2 would show a step over 5 % of all there is; memory is left unused",
    ),
    Stated(
        "20 fundus photographs",
        (584, 565),
        20,
        "all of the retina at once; 20 images: nnU-Net's least batch on every GPU",
    ),
    Stated(
        "20,000 skin photographs",
        (768, 1024),
        20_000,
        "above 1600 tokens: a patch of 3:4 like the photographs; the batch follows memory",
    ),
    Stated(
        "OCT, 50 volumes",
        (496, 1024),
        50,
        "a B-scan has 1984 tokens: 1:2 stays 1:2, a few columns from the whole",
        slices=49,
        channels=GREY,
        classes=8,
    ),
    Stated(
        "strips, 1:8",
        (256, 2048),
        300,
        "the strip's shape, not a square that would see an eighth of its length",
    ),
    Stated(
        "chest X-rays",
        (2048, 2048),
        400,
        "16,384 tokens would cost attention a hundred times that of 1600; 640 is what is published",
        channels=GREY,
        classes=4,
    ),
    Stated(
        "CT, 131 volumes",
        (512, 512),
        131,
        "a whole slice in 1024 tokens; 16 of them, the published batch, where they fit",
        slices=450,
        channels=GREY,
        classes=3,
    ),
    Stated(
        "heart MRI, 100 volumes",
        (256, 216),
        100,
        "the slice rounded up to whole patches of 16 and no further",
        slices=10,
        channels=GREY,
        classes=4,
    ),
    Stated(
        "endoscopy, 1,000 frames",
        (1080, 1920),
        1000,
        "9:16 like the frame; half of the frame's height is seen at once",
    ),
    Stated(
        "20 whole slides",
        (8000, 12000),
        20,
        "20 cases, yet their pixels are many: the batch is not bounded by 5 %",
        classes=5,
    ),
)


def cells_of(stated: Stated, memory: tuple[int, ...] = MEMORY) -> list[str]:
    """Return what is chosen for a dataset, by the GB of the GPU."""
    dataset = stated.dataset()
    schemes = dataset.normalization_schemes()
    meter = Meter(dataset, schemes, "cuda")
    given = PlannedFile.of(None, "1", None).given()
    found = []
    for gigabytes in memory:
        limit = limit_of(gigabytes, "cuda")
        try:
            plan = plan_for(
                given,
                dataset,
                schemes,
                size=stated.size,
                limit=limit,
                progress=Progress(),
                meter=meter,
            )
        except ConfigError:
            found.append("nothing fits")
        else:
            found.append(_cell(plan.choice))
    return found


def _cell(choice: Choice) -> str:
    tile = choice.step.tile
    more = ["checkpointing"] if choice.checkpointing else []
    more += [value for value in choice.variant.changes.values()]
    return ", ".join([f"{sizes_text(tile.size)}, {tile.batch}", *more])


def row_of(stated: Stated) -> str:
    """Return a dataset's row of the table."""
    many = f"{stated.cases:,} x {stated.slices}" if stated.slices > 1 else f"{stated.cases:,}"
    cells = [stated.name, sizes_text(stated.image), many, *cells_of(stated), stated.defence]
    return f"| {' | '.join(cells)} |"


def table() -> str:
    """Return the whole table."""
    heads = ["dataset", "image", "cases", *(f"{number} GB" for number in MEMORY), "why it is right"]
    lines = [f"| {' | '.join(heads)} |", f"|{'--|' * len(heads)}"]
    for stated in STATED:
        lines.append(row_of(stated))
        print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    written = table()
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        TABLE.sub(lambda match: f"{match[1]}{written}{match[2]}", page), encoding="utf-8"
    )
