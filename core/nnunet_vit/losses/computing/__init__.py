"""What terms of the loss compute with; torch is imported at module level here."""
