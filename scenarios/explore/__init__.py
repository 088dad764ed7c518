"""The machine looks for failures nobody has had yet: variations of a scenario, drawn or counted through, each a scenario."""
