"""What is known of memory without torch: main memory, the rungs, what earlier runs took."""
