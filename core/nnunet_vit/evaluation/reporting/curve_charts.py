"""The curves of a training as charts: loss, Dice, rate and time of each epoch."""

from collections.abc import Iterator, Sequence

from nnunet_vit.checkpoints.history_file import DICE_OF
from nnunet_vit.evaluation.reporting.axes import axis_of
from nnunet_vit.evaluation.reporting.charts import COLOURS, Chart, Series, described
from nnunet_vit.evaluation.reporting.fold_history import FoldHistory

PARTS = {"data_seconds": "data", "step_seconds": "steps", "validation_seconds": "validation"}
PSEUDO = (
    "Pseudo Dice: of the patches that the training draws from its validation cases. "
    "The metrics below are of whole images."
)


def curve_charts(name: str, histories: Sequence[FoldHistory]) -> list[Chart]:
    """Return the charts for which something is known.

    Args:
        name: of the run, for the charts' names.
        histories: of its folds.
    """
    lines = {
        "loss": ("Loss", "loss", _loss(histories), ""),
        "dice": ("Pseudo Dice", "pseudo Dice", _dice(histories), PSEUDO),
        "rate": ("Learning rate", "learning rate", _rate(histories), ""),
        "time": ("Time of an epoch", "seconds", _time(histories), ""),
    }
    return [
        _chart(f"{name}-{key}", title, label, series=series, note=note)
        for key, (title, label, found, note) in lines.items()
        if (series := list(found))
    ]


def _chart(name: str, title: str, label: str, *, series: list[Series], note: str) -> Chart:
    epochs = [x for one in series for x, _ in one.points]
    values = [y for one in series for _, y in one.points]
    low = 0.0 if label != "loss" else None
    high = 1.0 if label == "pseudo Dice" else None
    return Chart(
        name,
        title,
        described(series),
        axis_of("epoch", epochs, low=0.0, high=max(epochs)),
        axis_of(label, values, low=low, high=high),
        series,
        note=note,
    )


def _named(what: str, history: FoldHistory, histories: Sequence[FoldHistory]) -> str:
    return f"{what}, fold {history.fold}" if len(histories) > 1 else what


def _columns(
    histories: Sequence[FoldHistory], columns: dict[str, tuple[str, bool]]
) -> Iterator[Series]:
    """Yield a line per fold and column, in the fold's colour."""
    for colour, history in enumerate(histories):
        for column, (what, dashed) in columns.items():
            if points := history.values(column):
                yield Series(_named(what, history, histories), points, colour, dashed)


def _loss(histories: Sequence[FoldHistory]) -> Iterator[Series]:
    columns = {"train_loss": ("training", False), "validation_loss": ("validation", True)}
    return _columns(histories, columns)


def _dice(histories: Sequence[FoldHistory]) -> Iterator[Series]:
    yield from _columns(histories, {"dice": ("mean", False), "dice_smoothed": ("smoothed", True)})
    if len(histories) == 1 and 1 < len(histories[0].classes) < COLOURS:
        for colour, name in enumerate(histories[0].classes, 1):
            yield Series(name, histories[0].values(f"{DICE_OF}{name}"), colour)


def _rate(histories: Sequence[FoldHistory]) -> Iterator[Series]:
    found = [points for history in histories if (points := history.values("learning_rate"))]
    if found and all(points == found[0] for points in found):
        yield Series("every fold" if len(found) > 1 else "learning rate", found[0])
    else:
        yield from _columns(histories, {"learning_rate": ("rate", False)})


def _time(histories: Sequence[FoldHistory]) -> Iterator[Series]:
    yield from _columns(histories, {"seconds": ("whole epoch", False)})
    if len(histories) == 1:
        for colour, (column, what) in enumerate(PARTS.items(), 1):
            if points := histories[0].values(column):
                yield Series(what, points, colour, True)
