"""Draw one picture in every style: python examples/client.py [options of `lora-sidecar serve`]"""

import sys

from sidecar.client import Sidecar

with Sidecar.spawn(arguments=sys.argv[1:]) as sidecar:
    sidecar.load_model("starter")
    for style in [None, *(card.name for card in sidecar.list_loras())]:
        sidecar.switch_lora(style)
        result = sidecar.generate("red apple", seed=7)
        print(f"{style or 'no style'}: {result.timings.total_ms:.0f} ms, {result.images[0].path}")
