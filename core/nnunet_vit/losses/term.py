"""What a term of the training's loss is: a name, its options, and its value for a batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from torch import Tensor as Tensor

    from nnunet_vit.losses.computing.compared import Compared as Compared


class TermOptions(BaseModel):
    """Base of a term's options: the keys of `train.loss.<name>` in the run file.

    Give each field a bound and a description. Unknown keys and wrong types are errors.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    weight: float = Field(
        1.0, gt=0, le=1000, description="that the term is multiplied with in the sum"
    )


class ClassOptions(TermOptions):
    """Base of the options of terms that can be taken of some of the classes."""

    classes: list[str] | None = Field(
        None,
        min_length=1,
        description="foreground classes, or regions, that the term looks at, by their names in "
        "dataset.json; null: all of them",
    )


@dataclass(frozen=True)
class LossTerm:
    """A term of the loss.

    Attributes:
        name: what `train.loss` says.
        summary: its definition in a line.
        value: returns the term of a batch, a tensor with one number. Import torch inside. It must
            give the same with values that nobody can look at (no `if` on a tensor), so that
            `describe` can measure it.
        options: the pydantic model of its keys.
        stands_alone: whether it sees enough of the mask to train a network without another term.
    """

    name: str
    summary: str
    # Any: each term takes the options of its own model
    value: "Callable[[Compared, Any], Tensor]"
    options: type[TermOptions] = TermOptions
    stands_alone: bool = True


@dataclass(frozen=True)
class ChosenTerm:
    """A term with a run's options for it."""

    term: LossTerm
    options: TermOptions
