"""Model and memory methods."""

from __future__ import annotations

from pydantic import Field

from sidecar.protocol.base import DType, LowVram, Params, Result
from sidecar.protocol.finishing import UpscalerCard


class ModelCard(Result):
    """A model that can be loaded."""

    name: str
    family: str
    path: str
    bytes: int
    width: int = Field(description="the size it was trained at, pixels")
    height: int
    steps: int = Field(description="steps used when a request names none")
    guidance_scale: float
    license: str | None = None
    loaded: bool = False


class ModelList(Result):
    models: list[ModelCard]
    upscalers: list[UpscalerCard] = Field([], description="for upscale, enhance and generate")


class LoadModelParams(Params):
    """`model`: a name in a models folder, "starter", or an absolute path.

    A model is a diffusers folder or a single .safetensors file; its name leaves the suffix out.
    """

    model: str = Field(
        min_length=1, description="a name, “starter”, or the absolute path of a folder or file"
    )
    vae: str | None = Field(
        None,
        description="another VAE: a name in the models folder or its vae/, or an absolute path;"
        " null: the model's own",
    )
    dtype: DType = Field("auto", description="of the weights; auto: what suits the device")
    low_vram: LowVram = Field("auto", description="how much speed to give for memory")
    no_half_vae: bool = Field(False, description="decode in full precision")


class Component(Result):
    """One part of the pipeline and where it lies."""

    name: str
    bytes: int
    dtype: str
    device: str


class LoadModelResult(Result):
    model: str
    family: str
    components: list[Component]
    device: str
    dtype: str
    attention: str = Field(description='"xformers" or "sdpa"')
    low_vram: list[str] = Field(description="measures that are on")
    rung: str = Field(
        "off", description="of the low-memory ladder: off, balanced, aggressive; what auto came to"
    )
    load_ms: float


class DeviceMemory(Result):
    """Memory of one computing device, bytes; null where the device does not say."""

    name: str
    kind: str = Field(description='"cpu", "cuda", "rocm", "mps", "directml"')
    total: int | None
    free: int | None
    used_by_process: int | None
    peak: int | None
