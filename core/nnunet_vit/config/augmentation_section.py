"""The run file's section `train.augmentation`: nnU-Net's set, its strength, and what is added."""

from typing import Annotated

from pydantic import (
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from nnunet_vit.config.section import Section
from nnunet_vit.files.json_file import JsonObject

NAMED: dict[str, JsonObject] = {"nnunet": {}, "none": {"strength": 0.0, "mirror": False}}


class AugmentationSection(Section):
    """The augmentation: keys beside `strength` and `mirror` are names of what is added.

    Made without arguments it is nnU-Net's own set.
    """

    model_config = ConfigDict(extra="allow")

    strength: Annotated[float, Field(ge=0, le=3)] = Field(
        1.0,
        description="of nnU-Net's set: its ranges (angles, scales, noise, blur, brightness, "
        "contrast, resolution, gamma) are so many times as wide; 0: none of it",
    )
    mirror: bool = Field(
        True,
        description="mirror patches, and images when predicting, as nnU-Net does; false where left "
        "and right mean something: neither",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_a_name(cls, given: object) -> object:
        if not isinstance(given, str):
            return given
        if given in NAMED:
            return NAMED[given]
        raise ValueError(f"allowed: {' or '.join(map(repr, NAMED))}, or a section with keys")

    @model_serializer(mode="wrap")
    def _as_a_name(self, write: SerializerFunctionWrapHandler) -> JsonObject | str:
        if not self.added:
            for name, values in NAMED.items():
                if self == AugmentationSection(**values):
                    return name
        return dict(write(self))

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonObject:
        """Say that a name is taken too."""
        return {"anyOf": [{"enum": list(NAMED)}, handler(core)]}

    @property
    def added(self) -> JsonObject:
        """What is given for each that is added, by its name: a strength, or options."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def is_nnunet(self) -> bool:
        """Whether it is nnU-Net's own set."""
        return self == AugmentationSection()
