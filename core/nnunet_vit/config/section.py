"""What all sections of the run file share: strict, and unknown keys are errors."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(ge=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """A section of the run file."""

    # pydantic before 2.10 warns of names that begin with model_, as model_path does
    model_config = ConfigDict(
        extra="forbid", strict=True, validate_default=True, protected_namespaces=()
    )
