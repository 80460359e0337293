"""Images and masks of files as arrays: the type that signatures name, at no cost of numpy's."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]  # of numbers or truth values
