"""Planted defects, as data: edits of the program's own text that each make one mistake. They are part of the package, because a
scenario that must fail (class ``negative``, ``regression``) runs on one, on every machine where storcert is installed."""
