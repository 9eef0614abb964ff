"""What is true of LoRA files as such: how keys are spelt, and which family shapes belong to.

A leaf without torch, so that the front (cards) and the engine (merging) read files by the same
rules. `keys` takes a key apart; `families` tells what a file was made for.
"""
