import type { ModelCard } from "@lora-sidecar/electron/renderer";
import type { Draft } from "./state.js";

/** Pixels of a side, at least; every side is a multiple of eight. */
export const SMALLEST = 64;

/** Where the model's own size is not known. */
const USUAL = { width: 512, height: 512 };

/** The size that a picture of this draft will have. */
export function sizeOf(
  draft: Draft,
  card: ModelCard | undefined,
): { width: number; height: number } {
  const { width, height } = card ?? USUAL;
  return { width: draft.width ?? width, height: draft.height ?? height };
}

/** Half of it, or undefined when it cannot be smaller. */
export function half(size: { width: number; height: number }): typeof size | undefined {
  const [width, height] = [eights(size.width / 2), eights(size.height / 2)];
  return width < size.width || height < size.height ? { width, height } : undefined;
}

/** The nearest side that a model can draw. */
export function eights(side: number): number {
  return Math.max(SMALLEST, Math.round(side / 8) * 8);
}
