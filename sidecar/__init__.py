"""LoRA Sidecar: a resident Stable Diffusion that changes its style in the blink of an eye.

Two processes speak for it: the *front* (`lora-sidecar serve`), which owns stdin and stdout and
never imports torch, and the *engine* (`lora-sidecar engine`), a child that does. Importing this
package imports neither torch nor pydantic.
"""

__version__ = "0.1.0"
