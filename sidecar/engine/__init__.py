"""The engine and the front's link to it. Importing this package imports no torch."""
