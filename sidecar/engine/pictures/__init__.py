"""Encoded pictures in and out, with Pillow and numpy alone."""
