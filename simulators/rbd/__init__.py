"""Simulated RBD: pools and images of a Ceph 16.2 cluster, reached through ``import rados, rbd``."""

from storcert.simulators.rbd.cluster import RbdCluster
from storcert.simulators.rbd.doors import provide
from storcert.simulators.rbd.legal_faults import LEGAL_FAULTS
from storcert.simulators.rbd.options import RbdOptions

__all__ = ["LEGAL_FAULTS", "RbdCluster", "RbdOptions", "provide"]
