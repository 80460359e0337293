"""Runs as one page that opens offline: what `vit_cli report` writes."""
