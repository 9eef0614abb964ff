import type { ModelCard } from "@lora-sidecar/electron/renderer";
import type { Draft, Upscale } from "./state.js";

/** Width and height of a picture. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
}

/** A size that is offered. */
export interface Size extends Pixels {
  /** Null: the sidecar decides. */
  readonly upscale: Upscale | null;
}

/** Pixels of a side, at least; every side is a multiple of eight. */
export const SMALLEST = 64;

/** Where the model's own size is not known. */
const USUAL = { width: 512, height: 512 };

/** The size that a picture of this draft will have. */
export function sizeOf(draft: Draft, card: ModelCard | undefined): Pixels {
  const { width, height } = card ?? USUAL;
  return { width: draft.width ?? width, height: draft.height ?? height };
}

/** Half of it, or undefined when it cannot be smaller. */
export function half(size: Pixels): Pixels | undefined {
  const [width, height] = [eights(size.width / 2), eights(size.height / 2)];
  return width < size.width || height < size.height ? { width, height } : undefined;
}

/** The nearest side that a model can draw. */
export function eights(side: number): number {
  return Math.max(SMALLEST, Math.round(side / 8) * 8);
}

const SHAPES = [
  [1, 1],
  [3, 2],
  [2, 3],
  [16, 9],
] as const;

/**
 * The model's own size first, then other shapes of about as many pixels, half of it, and, where it
 * can be enlarged, two and four times as much; the draft's own last, when it is none of these.
 */
export function sizesFor(draft: Draft, card: ModelCard | undefined, enlarging: boolean): Size[] {
  const { width, height } = card ?? USUAL;
  const side = Math.sqrt(width * height);
  const shapes = SHAPES.map(([across, up]) => {
    const unit = side / Math.sqrt(across * up);
    return { width: eights(unit * across), height: eights(unit * up), upscale: null };
  });
  const larger = enlarging ? ([2, 4] as const) : [];
  const all = [
    { width, height, upscale: null },
    ...shapes,
    ...(width > SMALLEST
      ? [{ width: eights(width / 2), height: eights(height / 2), upscale: null }]
      : []),
    ...larger.map((times) => ({ width: width * times, height: height * times, upscale: times })),
    ...(draft.width && draft.height ? [{ ...sizeOf(draft, card), upscale: draft.upscale }] : []),
  ];
  return all.filter((one, at) => all.findIndex((other) => isSame(one, other)) === at);
}

/** Whether they are the same number of pixels. */
export function isSame(one: Pixels, other: Pixels): boolean {
  return one.width === other.width && one.height === other.height;
}

/** For a preview: the draft's shape, within the pixels that the model draws well; none: its own. */
export function previewSize(draft: Draft, card: ModelCard | undefined): Partial<Pixels> {
  const own = card ?? USUAL;
  const wanted = sizeOf(draft, card);
  if (draft.width === null || isSame(wanted, own)) return {};
  const scale = Math.min(1, Math.sqrt((own.width * own.height) / (wanted.width * wanted.height)));
  const size = { width: eights(wanted.width * scale), height: eights(wanted.height * scale) };
  return isSame(size, own) ? {} : size;
}
