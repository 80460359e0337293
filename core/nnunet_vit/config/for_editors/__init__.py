"""What editors and beginners need: the run file's JSON schema, and a run file to begin with."""
