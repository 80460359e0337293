"""Writes docs/accuracy.md from the results: every cell, the differences that matter."""

from collections import defaultdict
from statistics import mean

from study_picture import has_curves, picture_name

from nnunet_vit.evaluation.comparing.paired_statistics import corrected, difference_of

BEGIN, END = "<!-- study: begin -->", "<!-- study: end -->"


def write_page(path, study, rows):
    """Write what the study found between the page's two marks; what stands around them is kept."""
    text = path.read_text() if path.is_file() else f"# Accuracy\n\n{BEGIN}\n{END}\n"
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    parts = [part for name in study["datasets"] for part in _of_dataset(name, study, rows)]
    parts += [*_decodings(rows), *_failures(rows), _cost(rows)]
    path.write_text("\n\n".join([before + BEGIN, *parts, END]) + after)


def _of_dataset(name, study, rows):
    """Yield the paragraphs of a dataset."""
    mine = [row for row in rows if row["dataset"] == name and "dice" in row]
    if not mine:
        return
    yield f"### {name}"
    for share in study["shares"]:
        some = [row for row in mine if row["share"] == share]
        if some:
            yield f"{share:.0%} of the training images:"
            if has_curves(some):
                yield f"![Dice by minutes](pictures/{picture_name(name, share)})"
            yield _table(some)
            yield from _differences(some, study)


def _groups(rows, *keys):
    found = defaultdict(list)
    for row in rows:
        found[tuple(row[key] for key in keys)].append(row)
    return found


def _table(rows):
    """Return a table of the mean Dice by method and minutes, with each seed's behind it."""
    minutes = sorted({row["minutes"] for row in rows})
    cells = _groups(rows, "method", "minutes")
    methods = sorted(
        {row["method"] for row in rows},
        key=lambda method: (-_mean(cells.get((method, minutes[-1]))), method),
    )
    lines = [["method", *(f"{each:g} min" for each in minutes)]]
    for method in methods:
        lines.append([method, *(_cell(cells.get((method, each))) for each in minutes)])
    return _markdown(lines)


def _mean(rows):
    return mean(row["dice"] for row in rows) if rows else 0.0


def _cell(rows):
    """Return the mean of the seeds, each seed's, the steps, and the minutes that they took."""
    if not rows:
        return "-"
    rows = sorted(rows, key=lambda row: row["seed"])
    each = ", ".join(f"{row['dice']:.3f}" for row in rows)
    steps, taken = (_range([row[key] for row in rows]) for key in ("steps", "trained_minutes"))
    if len(rows) == 1:
        return f"{_mean(rows):.3f} [{steps} steps, {taken} min]"
    return f"**{_mean(rows):.3f}** ({each}) [{steps} steps, {taken} min]"


def _range(numbers):
    """Return the least and the most of some numbers, once where they look alike."""
    texts = [f"{number:g}" if number == int(number) else f"{number:.1f}" for number in numbers]
    low, high = (texts[numbers.index(of(numbers))] for of in (min, max))
    return low if low == high else f"{low} to {high}"


def _markdown(lines):
    head, *body = (f"| {' | '.join(map(str, line))} |" for line in lines)
    return "\n".join([head, "|" + "---|" * len(lines[0]), *body])


def _kind(method, study):
    """Return whether a method is stock nnU-Net, from scratch or pretrained."""
    spec = study["methods"][method]
    if "stock" in spec:
        return "stock"
    return "pretrained" if spec.get("model.pretrained", True) else "scratch"


def _differences(rows, study):
    """Yield a table of the best pretrained method beside the best of each other kind."""
    lines, found = [], []
    for (minutes,), some in sorted(_groups(rows, "minutes").items()):
        methods = _with_most_seeds(_groups(some, "method"))
        best = {}
        for (method,), own in methods.items():
            kind = _kind(method, study)
            if kind not in best or _mean(own) > _mean(methods[best[kind],]):
                best[kind] = method
        for kind in ("scratch", "stock"):
            if {"pretrained", kind} <= set(best):
                pair = [methods[best[each],] for each in ("pretrained", kind)]
                lines.append((f"{minutes:g}", best["pretrained"], best[kind]))
                found.append(_difference(*pair))
    if not found:
        return
    table = [["minutes", "best pretrained", "beside", "difference", "95 % interval", "p (Holm)"]]
    for line, of in zip(lines, corrected(found), strict=True):
        table.append([*line, f"{of.mean:+.3f}", of.interval_text(3), f"{of.p_holm:.2g}"])
    yield _markdown(table)


def _with_most_seeds(methods):
    """Return the methods that have as many seeds as any: one lucky seed beats no mean of three."""
    most = max(map(len, methods.values()))
    return {name: rows for name, rows in methods.items() if len(rows) == most}


def _difference(ours, others):
    """Return the difference over test images, each one's Dice being the mean of the seeds'."""
    one, other = (_by_case(rows) for rows in (ours, others))
    return difference_of(one, other, {case: case for case in one})


def _by_case(rows):
    cases = rows[0]["cases"]
    values = {case: [row["cases"][case] for row in rows] for case in cases}
    return {case: mean(each) if None not in each else float("nan") for case, each in values.items()}


def _decodings(rows):
    """Yield what other ways to masks change, over all cells that have them."""
    cells = [row for row in rows if "decoded" in row]
    if not cells:
        return
    yield "Other ways from the same probabilities to masks, beside argmax:"
    lines = [["dataset", "way", "cells", "better in", "mean change", "least", "most"]]
    for (dataset,), some in _groups(cells, "dataset").items():
        for way in [name for name in some[0]["decoded"] if name != "argmax"]:
            changes = [row["decoded"][way] - row["decoded"]["argmax"] for row in some]
            better = sum(change > 0 for change in changes)
            ends = [f"{each:+.3f}" for each in (mean(changes), min(changes), max(changes))]
            lines.append([dataset, way, len(some), better, *ends])
    yield _markdown(lines)


def _failures(rows):
    """Yield the cells that failed, and why."""
    failed = [row for row in rows if "failed" in row]
    if failed:
        keys = ("dataset", "method", "share", "minutes", "seed", "failed")
        yield "Cells that failed:"
        yield _markdown([keys, *([row[key] for key in keys] for row in failed)])


def _cost(rows):
    """Return what the study took."""
    done = [row for row in rows if "dice" in row]
    machines = ", ".join(sorted({row["processor"] for row in rows}))
    return (
        f"{len(done)} cells: {sum(row['trained_minutes'] for row in done):.0f} minutes of epochs, "
        f"{sum(row['cpu_minutes'] for row in done) / 60:.1f} hours of processors with starting and "
        f"final validation. {machines}; {', '.join(sorted({row['date'] for row in rows}))}."
    )
