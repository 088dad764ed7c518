"""The same control plane and agents in real time: a process per location, JSON over HTTP between them, a SQLite file."""
