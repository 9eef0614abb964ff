"""A model in memory with all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sidecar.engine.contract import ModelSpec
from sidecar.engine.diffusion.adapters import Fitter, adaptable
from sidecar.engine.diffusion.components import Components
from sidecar.engine.diffusion.embeddings import PromptEmbeddings
from sidecar.engine.diffusion.low_vram import resting_place
from sidecar.engine.diffusion.merge import Merger
from sidecar.engine.diffusion.preview import LatentPreview
from sidecar.engine.diffusion.render import Renderer


@dataclass(frozen=True)
class Resident:
    """Its networks, what is merged into them, which files were fitted to it, what draws with it."""

    components: Components
    merger: Merger
    fitter: Fitter
    embeddings: PromptEmbeddings
    renderer: Renderer

    @staticmethod
    def of(components: Components) -> Resident:
        """A model that has just been loaded. No LoRA is merged into it."""
        weights = adaptable({n: net for n, net in components.networks().items() if n != "vae"})
        merger, embeddings = Merger(weights), PromptEmbeddings(components)
        return Resident(
            components=components,
            merger=merger,
            fitter=Fitter(components.family, weights, merger.pristine),
            embeddings=embeddings,
            renderer=_renderer(components, embeddings),
        )

    def with_components(self, components: Components) -> Resident:
        """The same model with another VAE. What is merged stays merged."""
        return replace(self, components=components, renderer=_renderer(components, self.embeddings))

    def is_model(self, spec: ModelSpec) -> bool:
        """Whether it is that model, whatever the low-VRAM mode, which is changed in place."""
        return replace(self.components.spec, low_vram=spec.low_vram) == spec

    def rests_as(self, spec: ModelSpec, rung: str) -> bool:
        """Whether it is that model, and its weights rest where that rung has them."""
        parts = self.components
        same_place = resting_place(parts.low_vram) == resting_place(parts.measures_of(rung))
        return same_place and self.is_model(spec)

    def rests_but_for_vae_as(self, spec: ModelSpec, rung: str) -> bool:
        """Whether only the VAE is another, or its precision."""
        own = self.components.spec
        vae = {"vae": own.vae, "vae_path": own.vae_path, "no_half_vae": own.no_half_vae}
        return self.rests_as(replace(spec, **vae), rung)


def _renderer(components: Components, embeddings: PromptEmbeddings) -> Renderer:
    return Renderer(components, embeddings, LatentPreview(components))
