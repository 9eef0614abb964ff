"""The compact network of Real-ESRGAN in PyTorch, with the numbers out of our ONNX file.

After `realesrgan/archs/srvgg_arch.py` of that project: convolutions with PReLU, pixel shuffle, and
the picture itself enlarged by nearest pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional


class Compact(nn.Module):
    """(1, 3, height, width) in 0..1, four times as large."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        numbers = [numpy_helper.to_array(n) for n in onnx.load(str(path)).graph.initializer]
        tensors = [torch.from_numpy(n.astype(np.float32)) for n in numbers if n.ndim in (1, 3, 4)]
        layers: list[nn.Module] = []
        while tensors:
            first = tensors.pop(0)
            if first.ndim == 4:
                conv = nn.Conv2d(first.shape[1], first.shape[0], 3, padding=1)
                conv.weight.data, conv.bias.data = first, tensors.pop(0)  # type: ignore[union-attr]
                layers.append(conv)
            elif first.ndim == 3:
                prelu = nn.PReLU(first.shape[0])
                prelu.weight.data = first.flatten()
                layers.append(prelu)
        self.body = nn.Sequential(*layers)

    def forward(self, picture: Tensor) -> Tensor:
        large = functional.interpolate(picture, scale_factor=4, mode="nearest")
        return functional.pixel_shuffle(self.body(picture), 4) + large
