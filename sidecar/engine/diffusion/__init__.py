"""The drawing engine: loads a Stable Diffusion model, merges LoRAs into it, samples pictures.

`engine.DiffusionEngine` is what `sidecar.engine.contract.Engine` asks for. Importing this package
imports no torch; importing `engine` does.
"""
