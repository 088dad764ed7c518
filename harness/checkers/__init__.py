"""Pure functions from a history to a verdict. Nothing here runs a driver or knows a device."""
