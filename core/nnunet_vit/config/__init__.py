"""The run file: its pydantic models, and the reader that answers with all problems at once."""
