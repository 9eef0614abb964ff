import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import type { SidecarApi } from "../api.js";
import { HistoryNotFoundError } from "../errors.generated.js";

/** The part of a sidecar that knows where pictures lie. */
export type PictureSource = Pick<SidecarApi, "historyGet" | "listLoras">;

const PLAIN = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" };
const TYPES: Readonly<Record<string, string>> = {
  ".gif": "image/gif",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
};

/**
 * Pictures for pages, by name and never by path, so that no other file of the machine can be asked
 * for. The last two parts of the URL say which, whatever stands before them: `history/` and an id,
 * or `loras/` and the name of a LoRA for the preview on its card. For Electron's `protocol.handle`,
 * and for any server that takes a Response:
 *
 *     protocol.handle("picture", servePictures(sidecar)); // <img src="picture://history/3f2…">
 *
 * 404: there is no such picture. 503: the sidecar cannot be asked. Nothing is kept in a cache, so
 * that a deleted picture is gone.
 */
export function servePictures(
  sidecar: PictureSource,
): (request: { readonly url: string }) => Promise<Response> {
  return async ({ url }) => {
    const [kind = "", name = ""] = lastParts(url);
    try {
      const found = await SHELVES.get(kind)?.(sidecar, name);
      if (!found) return empty(404);
      const headers = { ...PLAIN, "Content-Type": found.type };
      return new Response(await readFile(found.path), { headers });
    } catch (error) {
      return empty(error instanceof HistoryNotFoundError || isMissing(error) ? 404 : 503);
    }
  };
}

interface Found {
  readonly path: string;
  readonly type: string;
}

type Shelf = (sidecar: PictureSource, name: string) => Promise<Found | undefined>;

const SHELVES = new Map<string, Shelf>([
  [
    "history",
    async (sidecar, id) => {
      const { entry } = await sidecar.historyGet({ id });
      return { path: entry.path, type: entry.mime };
    },
  ],
  [
    "loras",
    async (sidecar, name) => {
      const { loras } = await sidecar.listLoras();
      const path = loras.find((card) => card.name === name)?.preview;
      const type = path && TYPES[extname(path).toLowerCase()];
      return path && type ? { path, type } : undefined;
    },
  ],
]);

/** The last two parts, decoded; in `picture://history/3f2` the first of them is the host. */
function lastParts(url: string): string[] {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`.split("/").slice(-2).map(decodeURIComponent);
  } catch {
    return []; // no URL, or an escape that stands for nothing
  }
}

function empty(status: number): Response {
  return new Response(null, { status, headers: PLAIN });
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
