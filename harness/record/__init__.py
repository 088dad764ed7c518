"""Values that describe a run: faults, findings, verdicts, events, the run record, its text. Standard library only."""
