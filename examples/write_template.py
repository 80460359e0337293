"""Write what `vit_cli new-head` copies from third_party_head: python examples/write_template.py."""

from pathlib import Path

from nnunet_vit.scaffold.package import FILES

EXAMPLES = Path(__file__).parent
TEMPLATE = EXAMPLES.parent / "core/nnunet_vit/scaffold/template"


def main() -> None:
    """Copy the example's files into the package that is installed."""
    for path, copy in FILES.items():
        (TEMPLATE / copy).write_bytes((EXAMPLES / "third_party_head" / path).read_bytes())


if __name__ == "__main__":
    main()
