"""Makes a scenario that fails smaller, as long as it fails in the same way, and shows what of it is needed."""
