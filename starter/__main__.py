"""`python -m starter`: make the starter model, from the art to the pipeline folder.

python -m starter --seed 0 --work DIR             everything in order; goes on where it left off
python -m starter styles --work DIR --out DIR     picture folders for style LoRAs
python -m starter evaluate [--loras DIR]          figures
python -m starter grids --out DIR                 contact sheets
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from starter import (
    art,
    assemble,
    classifier,
    decoder,
    evaluate,
    grids,
    latents,
    styles,
    tokenizer,
    unet,
    vae,
)
from starter.training import Stage

COMMANDS = {"styles": styles.main, "evaluate": evaluate.main, "grids": grids.main}


def make(options: argparse.Namespace) -> None:
    """All stages in order. Finished ones are skipped, a cut-off one resumes."""
    work, seed = options.work, options.seed
    art.build_art(work, seed)
    tokenizer.build_tokenizer(work)
    vae.run(Stage("vae", options.vae_steps, 5, seed, work, processes=2))
    latents.build_latents(work)
    decoder.run(Stage("decoder", options.decoder_steps, 6, seed, work))
    unet.run(Stage("unet", options.unet_samples, 16, seed, work, processes=2))
    if options.until == "unet":
        return
    assemble.assemble(work, options.out or work / "pipeline")
    classifier.run(Stage("classifier", options.classifier_steps, 48, seed, work))


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] in COMMANDS:
        COMMANDS[sys.argv[1]](sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        prog="python -m starter",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for everything made")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="pipeline folder; default WORK/pipeline")
    parser.add_argument("--until", choices=["unet", "end"], default="end")
    parser.add_argument("--vae-steps", type=int, default=2800)
    parser.add_argument("--decoder-steps", type=int, default=5250)
    parser.add_argument("--unet-samples", type=int, default=110000)
    parser.add_argument("--classifier-steps", type=int, default=1800)
    make(parser.parse_args())


if __name__ == "__main__":
    main()
