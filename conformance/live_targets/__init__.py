"""Live targets: real storage systems that storcert starts by itself, on loopback, in a folder of its own, and ends.

``target`` has the words, ``targets`` the list; each target is a module, imported when it is asked for. Nothing here
judges.
"""
