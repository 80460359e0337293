"""The run file's section `train.loss`: terms of a sum, and weights of the classes."""

from typing import Annotated, Literal

from pydantic import (
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from nnunet_vit.config.section import Finite, Section
from nnunet_vit.files.json_file import JsonObject

NNUNET = "dice_ce"
AUTO = "auto"
LARGEST = 1000
ClassWeights = dict[str, Annotated[Finite, Field(gt=0, le=LARGEST)]]


def _is_weight(given: object) -> bool:
    return not isinstance(given, bool) and isinstance(given, int | float) and 0 < given <= LARGEST


class LossSection(Section):
    """The loss: keys beside `class_weights` are names of terms; without any, Dice + cross entropy.

    Made without arguments it is nnU-Net's own loss, which the run file calls `dice_ce`.
    """

    model_config = ConfigDict(extra="allow")

    class_weights: Literal["auto"] | ClassWeights | None = Field(
        None,
        description="how much each class counts, by its name in dataset.json, `{vessel: 3}`; the "
        "others have 1. `auto`: 1 / sqrt of its share of the training cases' pixels, 1 in the "
        "mean; null: all alike",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, given: object) -> object:
        if isinstance(given, str):
            return {} if given == NNUNET else {given: 1.0}
        return given

    @field_validator("class_weights", mode="before")
    @classmethod
    def _positive(cls, given: object) -> object:
        """Say what weights are allowed, in place of what each branch of the union misses."""
        if isinstance(given, dict) and not (given and all(map(_is_weight, given.values()))):
            raise ValueError(
                f"allowed: a section of class names, each with a number greater than 0 and at most "
                f"{LARGEST}, '{AUTO}', or null"
            )
        return given

    @model_serializer(mode="wrap")
    def _as_a_name(self, write: SerializerFunctionWrapHandler) -> JsonObject | str:
        return NNUNET if self.is_nnunet else dict(write(self))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonObject:
        """Say that a name is taken too."""
        return {"anyOf": [{"type": "string"}, handler(core)]}

    @property
    def terms(self) -> JsonObject:
        """What is given for each term, by its name: a weight, or options."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def is_nnunet(self) -> bool:
        """Whether it is nnU-Net's own."""
        return not self.terms and self.class_weights is None
