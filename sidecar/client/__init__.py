"""A small synchronous client for people who script the sidecar from Python.

    with Sidecar.spawn() as sidecar:
        sidecar.load_model("starter")
        sidecar.switch_lora("ink", 0.7)
        print(sidecar.generate("red apple").images[0].path)

Errors of the sidecar arrive as the classes of `sidecar.errors`; those of the connection are in
`sidecar.client.faults`. Importing this loads no torch.
"""

from sidecar.client.client import Sidecar
from sidecar.client.connection import Reply
from sidecar.client.faults import AnswerTimeout, ClientFault, SidecarGone, UnexpectedAnswer
from sidecar.client.pictures import picture_bytes

__all__ = [
    "AnswerTimeout",
    "ClientFault",
    "Reply",
    "Sidecar",
    "SidecarGone",
    "UnexpectedAnswer",
    "picture_bytes",
]
