"""Simulated storage devices: physics of one device each, the client face it wears, its legal faults.

Devices live in sub-packages and do not import each other; ``network`` is the wire they share, ``device`` the protocol
they all fulfil. Nothing here knows a driver, a check or a report.
"""
