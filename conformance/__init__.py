"""The conformance kit and the command line: the one place that sees everything."""
