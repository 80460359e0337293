"""Metrics as files: a row per case, class and metric (CSV), and everything (JSON)."""

import csv
import dataclasses
import io
import math
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit.evaluation.case_statistics import Statistic
from nnunet_vit.evaluation.measurement import EMPTY_RULE, INTERVAL_RULE, Measurement
from nnunet_vit.files.json_file import JsonObject, write_json
from nnunet_vit.files.writing import replacing

NAME = "metrics"
# numbers of parts of images, or of other masks than the files hold, have files of their own
OF_FIELDS, OF_THRESHOLD = "_fov", "_threshold"
COLUMNS = ("case", "class", "metric", "value", "unit", "empty", "threshold")
SCHEMA = 1


def write_metrics(measurement: Measurement, folder: Path) -> tuple[Path, Path]:
    """Write metrics.csv and metrics.json into a folder and return their paths."""
    name = NAME
    name += OF_FIELDS if measurement.fields is not None else ""
    name += OF_THRESHOLD if measurement.threshold is not None else ""
    rows, everything = folder / f"{name}.csv", folder / f"{name}.json"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(measurement))
    with replacing(rows) as unfinished:
        unfinished.write_text(text.getvalue(), encoding="utf-8")
    write_json(as_json(measurement), everything)
    return rows, everything


def as_json(measurement: Measurement) -> JsonObject:
    """Return everything that was measured; null where there is no value."""
    threshold = measurement.threshold
    return {
        "schema": SCHEMA,
        "length_unit": measurement.unit,
        "options": {
            **dataclasses.asdict(measurement.options),
            "fov": None if measurement.fields is None else str(measurement.fields),
            "threshold": None if threshold is None else threshold.as_json(),
        },
        "rules": {"empty masks": EMPTY_RULE, "interval": INTERVAL_RULE},
        "metrics": {
            metric.name: {
                "title": metric.title,
                "definition": metric.defined(measurement.options, measurement.unit),
                "unit": metric.unit(measurement.unit),
                "better": "lower" if metric.lower_is_better else "higher",
                "mean_of_classes": _number(measurement.mean_of_classes(metric)),
            }
            for metric in measurement.metrics
        },
        "classes": {
            name: {metric: _statistic(found) for metric, found in statistics.items()}
            for name, statistics in measurement.statistics.items()
        },
        "cases": {
            case.name: {
                name: {metric: _number(value) for metric, value in values.items()}
                for name, values in case.values.items()
            }
            for case in measurement.cases
        },
    }


def _rows(measurement: Measurement) -> Iterator[tuple[str, ...]]:
    made = "" if measurement.threshold is None else repr(measurement.threshold.value)
    for case in measurement.cases:
        for name, values in case.values.items():
            for metric in measurement.metrics:
                value, unit = values[metric.name], metric.unit(case.unit)
                text = "" if math.isnan(value) else repr(value)
                yield case.name, name, metric.name, text, unit, case.empty[name], made


def _statistic(found: Statistic) -> JsonObject:
    return {name: _number(value) for name, value in dataclasses.asdict(found).items()}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
