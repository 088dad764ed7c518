"""The data plane at a location: opens streams and pumps bytes. Still empty."""
