"""The ViTs of timm, and the settings that weights bring along."""
