"""Draws the study's curves: Dice by minutes, a line for each method, a dot for each seed."""

from statistics import mean

SIZE = (8, 4.5)  # inches
LEAST_MINUTES = 2  # budgets that make a curve


def picture_name(dataset, share):
    """Return the file of a dataset's curves with a share of its training images."""
    return f"accuracy_{dataset}_{100 * share:.0f}.png"


def has_curves(rows):
    """Tell whether some method was trained for several budgets."""
    return any(len(budgets) >= LEAST_MINUTES for budgets in _by_method(rows).values())


def draw_curves(folder, rows, study):
    """Draw a picture for each dataset and share that has curves.

    Args:
        folder: to write to.
        rows: results, failed ones among them.
        study: whose datasets and shares are drawn.
    """
    done = [row for row in rows if "dice" in row]
    for name in study["datasets"]:
        for share in study["shares"]:
            some = [row for row in done if (row["dataset"], row["share"]) == (name, share)]
            if has_curves(some):
                title = f"{name}, {share:.0%} of the images"
                _draw(folder / picture_name(name, share), some, title)


def _by_method(rows):
    """Return the Dice of each method's seeds by minutes."""
    found = {}
    for row in rows:
        budgets = found.setdefault(row["method"], {})
        budgets.setdefault(row["minutes"], []).append(row["dice"])
    return found


def _draw(path, rows, title):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=SIZE, layout="constrained")
    ends = {}
    for method, budgets in sorted(_by_method(rows).items()):
        minutes = sorted(budgets)
        (line,) = axes.plot(minutes, [mean(budgets[each]) for each in minutes], label=method)
        for each in minutes:
            values = budgets[each]
            axes.plot([each] * len(values), values, "o", color=line.get_color(), markersize=3)
        ends[line] = mean(budgets[minutes[-1]])
    axes.set(xscale="log", xlabel="minutes of one core", ylabel="Dice of test images", title=title)
    minutes = sorted({row["minutes"] for row in rows})
    axes.set_xticks(minutes, [f"{each:g}" for each in minutes])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    lines = sorted(ends, key=ends.get, reverse=True)
    figure.legend(handles=lines, loc="outside right upper", frameon=False)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    pyplot.close(figure)
