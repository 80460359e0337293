"""`python vit_cli.py …` in a clone does what the installed command `vit_cli …` does."""

from nnunet_vit.cli import main

if __name__ == "__main__":  # nnU-Net's spawned workers import this file again
    main()
