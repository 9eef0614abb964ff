"""Looks at finished pictures: nudity, QR codes and bar codes, writing. No torch."""
