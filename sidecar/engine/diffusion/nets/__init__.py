"""The networks of Stable Diffusion as plain torch modules, for inference only.

Weights, names and arithmetic are those of diffusers' UNet2DConditionModel and AutoencoderKL and
of transformers' CLIPTextModel; `tests/engine/diffusion` holds them side by side. They stand here
because importing those two libraries takes three times as long as drawing the first picture,
and because a sampler that knows its whole schedule can compute what does not change from step to
step (time embeddings, keys and values of the prompt) once per picture.
"""
