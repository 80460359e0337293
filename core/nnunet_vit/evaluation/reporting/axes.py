"""Axes of charts: which values they span, and the round numbers beside them."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MARKS = 5  # numbers beside an axis, about


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        label: what it shows, with the unit.
        low: the value at its start.
        high: the value at its end, larger.
        step: between the numbers beside it; 0: powers of ten, and equal ratios have equal lengths.
    """

    label: str
    low: float
    high: float
    step: float = 0.0

    def share(self, value: float) -> float:
        """Return where a value lies: 0 at the start, 1 at the end."""
        low, high, at = (self._scaled(each) for each in (self.low, self.high, value))
        return min(1.0, max(0.0, (at - low) / (high - low)))

    def marks(self) -> list[tuple[float, str]]:
        """Return the share and the text of each number beside the axis."""
        values = self._steps() if self.step else self._decades()
        return [(self.share(value), _text(value)) for value in values]

    def _scaled(self, value: float) -> float:
        return value if self.step else math.log10(value)

    def _decades(self) -> Iterator[float]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        every = max(1, -(-(last - first) // MARKS))
        for power in range(first, last + 1, every):
            yield 10.0**power

    def _steps(self) -> Iterator[float]:
        first = math.ceil(self.low / self.step - 1e-9)
        for number in range(first, math.floor(self.high / self.step + 1e-9) + 1):
            yield number * self.step


def axis_of(
    label: str,
    values: Iterable[float],
    *,
    low: float | None = None,
    high: float | None = None,
    log: bool = False,
) -> Axis:
    """Return the axis that spans values.

    Args:
        label: what it shows.
        values: finite ones, and with `log` above 0; none are needed where both ends are given.
        low: its start; None: below the smallest value.
        high: its end; None: above the largest value.
        log: whether equal ratios have equal lengths.
    """
    found = list(values)
    least = low if low is not None else min(found)
    most = high if high is not None else max(found)
    if log:
        return Axis(label, 10 ** math.floor(math.log10(least)), 10 ** _decade_above(most))
    if most <= least:  # one value alone
        apart = abs(least) or 1.0
        least, most = least if low is not None else least - apart, least + apart
    step = _round_step((most - least) / MARKS)
    return Axis(
        label,
        least if low is not None else math.floor(least / step + 1e-9) * step,
        most if high is not None else math.ceil(most / step - 1e-9) * step,
        step,
    )


def _decade_above(value: float) -> int:
    return math.floor(math.log10(value)) + 1


def _round_step(least: float) -> float:
    """Return 1, 2 or 5 times a power of ten, not below a length."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= least * (1 - 1e-9))


def _text(value: float) -> str:
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e5:
        return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")
    mantissa, _, power = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(power)}".replace("-", "\N{MINUS SIGN}")
