"""vit_cli schema: the JSON schema of the run file, for editors."""

import json
from pathlib import Path
from typing import Annotated

import typer


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="a file; default: printed")
    ] = None,
) -> None:
    """Write the JSON schema of the run file, with the options of all that is installed."""
    from nnunet_vit.config.for_editors.run_schema import run_schema
    from nnunet_vit.files.writing import write_text

    text = json.dumps(run_schema(), indent=2)
    if output is None:
        print(text)
        return
    write_text(f"{text}\n", output)
    print(f"{output} describes the run file. Its first line then tells an editor so:")
    print(f"# yaml-language-server: $schema={output}")
