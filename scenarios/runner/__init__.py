"""Runs scenarios: a world is built of what a scenario says, its steps are taken, and what came of it is judged."""
