"""Trains style LoRAs in stages on a frozen Stable Diffusion: any with a diffusers folder.

`preset` says how, `dataset` reads the pictures, `trainer` runs the stages, `export` writes the
file; `job` is all of it.
"""
