"""A miniature Stable Diffusion, trained from scratch on openly licensed emoji art.

The package holds everything that made the weights which LoRA Sidecar ships as its starter model:
art, tokenizer, VAE, text encoder and UNet, evaluation. `python -m starter --help` lists the stages.
"""
