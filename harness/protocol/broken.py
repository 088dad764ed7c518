"""How a driver on the other end of the protocol is at fault: errors that are none of the contract's, each with its rule.

They say in words what came over the wire, because whoever reads them has no Python traceback of the driver.
"""

from __future__ import annotations


class BrokenProtocol(Exception):
    """The driver's server did not keep to ``driver.proto``: an answer out of order, a field without sense, no answer at all.

    ``rule``: the rule of the contract that is broken by it.
    """

    rule = "C-ERRORS"


class ForeignError(BrokenProtocol):
    """A call ended with a status that carries no error of the contract: a foreign error came out of the driver."""


class TooLate(BrokenProtocol):
    """No answer within the fifteen minutes that the contract gives each call."""

    rule = "C-BUDGET"
