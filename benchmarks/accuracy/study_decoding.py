"""Other ways from probabilities to masks, measured on the test images of a cell.

- threshold: one for all foreground classes, the one that is best on the other test images
- rank: for each image and class the threshold that is best for the Dice that its own probabilities
  expect. Source: Dai and Li, RankSEG, JMLR 2023 (arXiv:2206.13086), in first order: of the k
  likeliest pixels the k that maximizes 2 * (their sum) / (k + the sum of all)
- calibrated rank: the same behind one temperature, fitted on the other test images

What is fitted is fitted without the image it is used for.
"""

import json
from pathlib import Path
from statistics import mean

import numpy as np
import SimpleITK

from nnunet_vit.evaluation.ranking.temperature import scaled

THRESHOLDS = np.linspace(0.1, 0.9, 17)
TEMPERATURES = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0)
PIXELS = 5000  # of each image, for the temperature
PRESENT = 0.1  # the least of its probability that a class in the image has somewhere
FLOOR = 1e-6  # of a probability whose logarithm is taken


def decodings_of(validation):
    """Return the mean Dice of each way to masks; nnU-Net's own is `argmax`.

    Args:
        validation: nnU-Net's folder of the validation, with probabilities.
    """
    pairs = [_pair(each, validation) for each in _cases(validation)]
    found = {"argmax": mean(dice(p.argmax(axis=0), truth) for p, truth in pairs)}
    return found | {"threshold": _by_threshold(pairs), **_by_rank(pairs)}


def _by_threshold(pairs):
    """Return the mean Dice with the threshold that is best on the other images."""
    scores = np.array([
        [dice(masked(p, [each] * (len(p) - 1)), truth) for each in THRESHOLDS]
        for p, truth in pairs
    ])  # fmt: skip
    best = list(_best_of_others(scores))
    return float(mean(scores[np.arange(len(best)), best]))


def _by_rank(pairs):
    """Return the mean Dice of ranking, as the probabilities are and behind a temperature."""
    likelihoods = np.array([[_likelihood(p, truth, t) for t in TEMPERATURES] for p, truth in pairs])
    found = {"rank": [], "calibrated rank": []}
    for (p, truth), best in zip(pairs, _best_of_others(likelihoods), strict=True):
        for name, temperature in (("rank", 1), ("calibrated rank", TEMPERATURES[best])):
            q = scaled(p, temperature, regions=False)
            found[name].append(dice(masked(q, [rank_threshold(each) for each in q[1:]]), truth))
    return {name: mean(values) for name, values in found.items()}


def _best_of_others(scores):
    """Return for each image (row) which column is best for all others; of equals the middle one."""
    middle = np.arange(scores.shape[1]) - scores.shape[1] // 2
    for number in range(len(scores)):
        others = np.delete(scores, number, axis=0).mean(axis=0)
        best = np.flatnonzero(others >= others.max() - 1e-9)
        yield best[np.abs(middle[best]).argmin()]


def masked(p, thresholds):
    """Return labels: of the classes that reach their threshold the one that exceeds it most."""
    ratio = np.stack([each / limit for each, limit in zip(p[1:], thresholds, strict=True)])
    return np.where(ratio.max(axis=0) >= 1, ratio.argmax(axis=0) + 1, 0)


def rank_threshold(p):
    """Return the probability from which pixels belong to the mask that expects the best Dice.

    A class that nowhere is probable gets no pixel, or its tiny threshold would beat sure classes.
    """
    if p.max() < PRESENT:
        return np.inf
    ranked = np.sort(p.ravel())[::-1].astype(np.float64)
    expected = np.cumsum(ranked) / (np.arange(1, ranked.size + 1) + ranked.sum())
    return max(float(ranked[expected.argmax()]), FLOOR)


def dice(mask, truth):
    """Return the mean Dice of the foreground classes that a mask or the truth has."""
    classes = (set(np.unique(truth)) | set(np.unique(mask))) - {0}
    pairs = [(mask == each, truth == each) for each in classes]
    values = [2 * np.sum(one & other) / (np.sum(one) + np.sum(other)) for one, other in pairs]
    return float(mean(values)) if values else 1.0


def _likelihood(p, truth, temperature):
    """Return the mean logarithm of the probability of what is true, on some pixels."""
    flat, labels = p.reshape(len(p), -1), truth.ravel()
    some = np.linspace(0, labels.size - 1, min(PIXELS, labels.size)).astype(int)
    q = scaled(flat[:, some], temperature, regions=False)
    return float(np.log(np.maximum(q[labels[some], np.arange(some.size)], FLOOR)).mean())


def _cases(validation):
    return json.loads((validation / "summary.json").read_text())["metric_per_case"]


def _pair(case, validation):
    """Return probabilities (C, H, W) and labels (H, W) of a case."""
    reference = Path(case["reference_file"])
    truth = labels_of(reference)
    with np.load(validation / f"{reference.name.split('.')[0]}.npz") as stored:
        p = stored["probabilities"].astype(np.float32)
    p = p.reshape(len(p), *p.shape[-2:])
    return p, truth.astype(int)


def labels_of(path):
    """Return the labels (H, W) of a file."""
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).squeeze()
