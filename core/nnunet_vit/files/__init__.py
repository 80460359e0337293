"""Files on the disk: written whole or not at all, locked, read with errors that name them."""
