"""The transforms of augmentations; torch is imported at module level here."""
