"""The drawing engine: loads a Stable Diffusion model, merges LoRAs into it, samples pictures.

`engine.DiffusionEngine` is what `sidecar.engine.contract.Engine` asks for. Importing this package
imports no torch; importing `engine` does.
"""

import os

# Read by torch's OpenMP when it is loaded, so it must stand here. Threads that wait by spinning
# make a picture 25 times slower as soon as another program wants a core too.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Nothing is fetched at run time, whatever a library would like to.
for _name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
    os.environ.setdefault(_name, "1")
