"""`python -m nnunet_vit …` does what the installed command `vit_cli …` does."""

from nnunet_vit.cli import main

if __name__ == "__main__":  # spawned workers import this file again
    main()
