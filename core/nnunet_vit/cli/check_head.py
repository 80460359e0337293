"""vit_cli check-head: the contract of heads, run on an installed one."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from nnunet_vit.report import offered_names

if TYPE_CHECKING:
    from nnunet_vit.testing.verdict import Result

ADVICE = "change what the lines above name; they are checked by nnunet_vit.testing.HeadContract."


def check_head(
    name: Annotated[
        str,
        typer.Argument(
            help="an installed head (`vit_cli list-models`)", autocompletion=offered_names.heads
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """Check that an installed head keeps the contract; exit code 4 where it does not."""
    from dataclasses import asdict

    from nnunet_vit.errors import PluginError
    from nnunet_vit.registry import catalogue
    from nnunet_vit.testing.verdict import in_own_process

    record = catalogue.find(catalogue.HEADS, name)
    if not as_json:
        print(f"head {name} ({record.origin})")
    found = []
    for result in in_own_process(name):
        found.append(result)
        if not as_json:
            print(_line(result), flush=True)
    failed = [result.rule for result in found if not result.passed]
    if as_json:
        rules = [asdict(result) for result in found]
        report = {"head": name, "distribution": record.distribution, "version": record.version}
        print(json.dumps({**report, "passed": not failed, "rules": rules}, indent=2))
    if failed:
        raise PluginError(f"Head '{name}' breaks {', '.join(failed)}.", fix=ADVICE)
    if not as_json:
        print(f"Head '{name}' keeps the contract: {len(found)} of {len(found)} rules.")


def _line(result: "Result") -> str:
    word = "PASS" if result.passed else "FAIL"
    where = f"on {result.backbone}: " if result.backbone else ""
    return f"{word}  {result.rule:<17} {where}{result.note}"
