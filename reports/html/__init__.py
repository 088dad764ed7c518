"""The HTML report: one file, no network. Text from a run record; nothing is simulated here."""
