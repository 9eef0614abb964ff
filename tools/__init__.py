"""What developers run: generated files, the lock file, repository checks."""
