"""Switching LoRAs at the size of SD 1.5: ours and diffusers side by side, in one run.

Random weights: what is measured does not depend on them. `__main__` asks two resident workers in
turns; `geometry` has the shapes and writes the LoRA files.
"""
