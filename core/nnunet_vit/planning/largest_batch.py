"""The largest batch that memory takes, found with few measurements."""

from collections.abc import Callable


def largest_batch(
    memory: Callable[[int], int], usable: int, *, least: int, most: int
) -> int | None:
    """Return the largest batch whose step fits, or None where the least one does not.

    A step's memory is the largest of several sums, each linear in the batch, so its curve bends
    upwards: between a batch that fits and one that does not, the straight line lies above it, and
    the batch that the line allows fits. Each answer is a batch that has been measured itself.

    Args:
        memory: returns the bytes of a step with that many images.
        usable: bytes.
        least: images.
        most: images.
    """
    if memory(most) <= usable:
        return most
    if memory(least) > usable:
        return None
    fits, too_large = least, most
    while too_large - fits > 1:
        slope = (memory(too_large) - memory(fits)) / (too_large - fits)
        guess = fits + int((usable - memory(fits)) / max(slope, 1))
        guess = min(max(guess, fits + 1), too_large - 1)
        if memory(guess) <= usable:
            fits = guess
        else:
            too_large = guess
    return fits
