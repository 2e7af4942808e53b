"""Glidepath inside the frameworks that people already use: one file for each.

What needs no file of its own (PyTorch's DDP, FSDP2 and `torch.compile`, Accelerate, ignite, optax, Hydra) takes the
scheduler or the plan as it is: `docs/integrations.md` shows how.
"""
