// The built page as Responses, for Electron's `protocol.handle` and for the development server alike.
import { readFile } from "node:fs/promises";
import { extname, join, normalize, sep } from "node:path";

/** What answers a request for a part of the page. */
export type PageServer = (request: { readonly url: string }) => Promise<Response>;

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

/**
 * The content security policy that is sent with the page: scripts, styles and pictures of its own,
 * and no connections but to `connect`.
 */
export function contentPolicy(connect = "'none'"): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html",
  ].join("; ");
}

/**
 * Serves the files of `folder`. Nothing outside of that folder, and no file whose type is not known,
 * can be asked for. (Pictures come as data URLs over the bridge.)
 */
export function servePage(folder: string, policy: string): PageServer {
  return async ({ url }) => {
    const { pathname } = new URL(url);
    const path = fileIn(folder, pathname === "/" ? "/index.html" : pathname);
    const type = TYPES[extname(path ?? "")];
    const body = path && type ? await readFile(path).catch(() => undefined) : undefined;
    if (!body || !type) return new Response("Not found.", { status: 404, headers: common(policy) });
    return new Response(body, { headers: { ...common(policy), "Content-Type": type } });
  };
}

function common(policy: string): Record<string, string> {
  return {
    "Cache-Control": "no-store",
    "Content-Security-Policy": policy,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  };
}

/** The path within the folder; undefined when it would lead out of it. */
function fileIn(folder: string, pathname: string): string | undefined {
  let name: string;
  try {
    name = decodeURIComponent(pathname);
  } catch {
    return undefined; // an escape that stands for nothing
  }
  if (name.includes("\0")) return undefined;
  const path = normalize(join(folder, name));
  return path.startsWith(normalize(folder) + sep) ? path : undefined;
}
