"""The control plane: catalogue, orchestration, provisioning, motion planning. Never reaches a stream. Still empty."""
