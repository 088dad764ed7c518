"""What lies between locations and devices: the wire of each device, and the one network of a world that all wires share.

``wire`` sends requests (``exchange``, ``delivery``) and strikes them with faults (``faults``); ``topology`` knows links, ports
and partitions; ``flows`` shares bandwidth, ``transmission`` says what TCP makes of losses; ``messages`` go between
locations; ``ledger`` says who carried which bytes. No device lives here.
"""
