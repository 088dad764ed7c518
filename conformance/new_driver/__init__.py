"""``storcert new-driver``: writes a driver project that certifies, ready to fill in."""
