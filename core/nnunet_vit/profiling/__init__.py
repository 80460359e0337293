"""What a run costs, measured on tensors without memory: `vit_cli describe`."""
