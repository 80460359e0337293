"""What a snapshot's config.json says of its network: transformers', timm's, and the statistics."""
