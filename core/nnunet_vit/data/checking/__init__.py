"""All files of a raw dataset looked at once: what is wrong, what is doubtful, kept and shown."""
