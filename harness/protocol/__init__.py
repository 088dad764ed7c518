"""The driver protocol: the contract over gRPC, for drivers in any language. ``driver.proto`` is the published file.

Here live the messages, how values and errors of the contract become messages, calls, and the server that puts a Python driver
behind the protocol. The other end is a driver like any other, :mod:`storcert.harness.drivers.grpc`. No device is known here.
Importing this package imports neither gRPC nor protobuf, which not everybody has: the extra ``storcert[grpc]``.
"""

PROTOCOL_VERSIONS: tuple[int, ...] = (1,)
"""Those that this version of storcert speaks, the newest last."""
