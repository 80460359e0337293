"""The rooms of modeling/weights: imports point down among them too."""

from pathlib import Path

import pytest
from import_arrows import imports, modules_of

pytestmark = pytest.mark.contract

CORE = Path(__file__).parents[2] / "core/nnunet_vit"
WEIGHTS = ("", "names", "shapes", "configs", "files")  # rooms of modeling/weights, from above


def wrong_rooms(room: str, source: str) -> set[str]:
    """Return the rooms of modeling/weights that a module of one of them may not import."""
    within = "nnunet_vit.modeling.weights."
    names = (name for name in imports(source, "nnunet_vit", inside=True) if name.startswith(within))
    firsts = {name.removeprefix(within).partition(".")[0] for name in names}
    rooms = {first if first in WEIGHTS else "" for first in firsts}
    return {found for found in rooms if WEIGHTS.index(found) < WEIGHTS.index(room)}


@pytest.mark.parametrize(
    "path", modules_of(CORE / "modeling/weights"), ids=lambda path: str(path.relative_to(CORE))
)
def test_the_rooms_of_weights_point_down(path):
    room = path.parent.name if path.parent.name in WEIGHTS else ""
    assert wrong_rooms(room, path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("room", "module", "wrong"),
    [
        ("files", "names.copies", {"names"}),
        ("configs", "judging", {""}),
        ("shapes", "files.reading", set()),
        ("", "names.copies", set()),
    ],
)
def test_the_rule_of_the_rooms_of_weights(room, module, wrong):
    assert wrong_rooms(room, f"from nnunet_vit.modeling.weights.{module} import x") == wrong
