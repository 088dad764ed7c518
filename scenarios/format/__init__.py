"""The scenario format: what a ``*.toml`` of a scenario may say, as frozen values; reading, writing, its schema."""
