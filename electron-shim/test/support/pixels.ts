import type { Locator } from "playwright-core";

const SIDE = 32;

/** The picture of an `img`, scaled to 32 by 32: red, green and blue of each pixel, 0 to 255. */
export function pixels(image: Locator): Promise<number[]> {
  return image.evaluate(async (element, side) => {
    const picture = element as HTMLImageElement;
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = side;
    canvas.height = side;
    const context = canvas.getContext("2d");
    if (!context) throw new Error("no canvas");
    context.drawImage(picture, 0, 0, side, side);
    const { data } = context.getImageData(0, 0, side, side);
    return [...data].filter((_, index) => index % 4 !== 3);
  }, SIDE);
}

/** The mean difference of two pictures, 0 to 255. */
export function difference(one: readonly number[], other: readonly number[]): number {
  const sum = one.reduce((total, value, index) => total + Math.abs(value - (other[index] ?? 0)), 0);
  return sum / one.length;
}
