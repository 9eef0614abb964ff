"""What single-file models are: their kind and their measures, from names and shapes alone.

Front and engine share this, so it imports no torch and reads no files.
"""
