"""What there is to load: models and LoRA files in their folders, read no further than headers.

Names come from the wire, paths never do (but for `load_model`); a name is looked up among the
files that were found in the folders, so it cannot lead out of them.
"""

from sidecar.catalog.families import Defaults
from sidecar.catalog.loras import FoundLora, LoraCatalog
from sidecar.catalog.models import FoundModel, ModelCatalog

__all__ = ["Defaults", "FoundLora", "FoundModel", "LoraCatalog", "ModelCatalog"]
