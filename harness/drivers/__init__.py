"""Bundled drivers, written on public client libraries and the contract alone, as a vendor would."""
