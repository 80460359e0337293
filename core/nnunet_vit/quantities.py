"""Numbers with their units as people read them; one rule for each kind."""

from collections.abc import Iterable


def bytes_text(count: float) -> str:
    """Return a number of bytes in decimal units: 0.1 MB, 33.0 MB, 1.24 GB."""
    return f"{count / 1e6:.1f} MB" if count < 999.95e6 else f"{count / 1e9:.2f} GB"


def parameters_text(count: int) -> str:
    """Return a number of parameters: 768, 21.59 M, 6.72 B."""
    if count < 100_000:
        return str(count)
    return f"{count / 1e6:.2f} M" if count < 999.95e6 else f"{count / 1e9:.2f} B"


def operations_text(count: int) -> str:
    """Return a number of floating-point operations: 63.5 GFLOPs, 2.39 TFLOPs."""
    return f"{count / 1e9:.1f} GFLOPs" if count < 1e12 else f"{count / 1e12:.2f} TFLOPs"


def duration_text(seconds: float) -> str:
    """Return a time in the unit that suits it: 0.3 s, 45 s, 12 min, 3.2 h."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def decimal_text(value: float, places: int, *, signed: bool = False) -> str:
    """Return a number with that many decimals; what rounds to 0 has no sign.

    Args:
        value: any number, NaN and infinity among them.
        places: decimals.
        signed: whether numbers above 0 have their sign too, as differences do.
    """
    rounded = round(value, places) + 0.0  # -0.0 becomes 0.0
    return f"{rounded:{'+' if signed and rounded else ''}.{places}f}"


def sizes_text(sizes: Iterable[float]) -> str:
    """Return sizes or spacings, the slowest axis first: 512 x 512, 3 x 0.5 x 0.5."""
    return " x ".join(f"{size:g}" if isinstance(size, float) else str(size) for size in sizes)


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a (Z, Y, X) shape: rows and columns in pixels, or voxels where there are slices."""
    plane = shape[0] == 1
    return f"{sizes_text(shape[1:] if plane else shape)} {'pixels' if plane else 'voxels'}"
