"""What transforms of whole batches are made of, and the set of them; torch is imported here."""
