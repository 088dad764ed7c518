"""The data plane at a location: where object bytes move. Streams and pumps only; what is to be moved where, others
decide.

``http_input`` opens a file behind a URL as an ``InputStream``.
"""
