"""``storcert lint``: what of the contract can be seen in a driver's source, without running any of it.

``rules*.py`` are the rules as data, ``checks_*.py`` find what breaks them, ``names.py`` knows what a name in a source stands
for, ``subjects.py`` which values name objects, ``targets.py`` which files are meant, ``justify.py`` reads accepted findings.
A rule that accuses correct code is worse than none: what cannot be decided by reading is left to the run.
"""
