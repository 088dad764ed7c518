"""Failure scenarios: their format and catalogue. Empty until the logical layer is there."""
