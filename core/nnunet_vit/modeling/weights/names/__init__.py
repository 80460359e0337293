"""A file's names turned into timm's, and which of several networks in it is meant."""
