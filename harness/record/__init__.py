"""Values that describe a run: faults, findings, verdicts, events, the run record and its text forms. Standard library only."""
