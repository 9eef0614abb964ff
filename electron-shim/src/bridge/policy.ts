import { posix, win32 } from "node:path";
import { BridgeRefusedError } from "../errors/faults.js";
import { InvalidParamsError } from "../errors.generated.js";
import { METHOD_NAMES, type NamedMethod } from "../methods.generated.js";
import { PARAM_DEFINITIONS, PARAM_SCHEMAS } from "../params.generated.js";
import type { FrameLike, MessageLike } from "./electron.js";
import { misfits } from "./validate.js";

/** What pages may ask for. */
export interface BridgePolicy {
  /** Methods that pages may call, by their name in the protocol. Default: all of them. */
  readonly methods?: readonly NamedMethod[] | undefined;
  /**
   * Whether a page may speak, by its origin such as "file://", "app://bundle" or
   * "http://localhost:5173". Default: "file://" only. Frames within a page may never.
   */
  readonly allowOrigin?: ((origin: string) => boolean) | undefined;
  /**
   * Whether a page may name this file or folder, for example as `init_image.path`. Default: none,
   * so that a page that was taken over cannot have files of the machine read to it.
   */
  readonly allowPath?: ((path: string, method: NamedMethod) => boolean) | undefined;
}

/** Values that are prose, whatever they look like. */
const PROSE: ReadonlySet<string> = new Set(["prompt", "negative_prompt", "session", "data_url"]);

/** The methods that the policy leaves open. */
export function openMethods({ methods }: BridgePolicy): readonly NamedMethod[] {
  return methods ?? (Object.keys(METHOD_NAMES) as NamedMethod[]);
}

/** Throws BridgeRefusedError when this message comes from where none may come from. */
export function checkSender({ senderFrame }: MessageLike, policy: BridgePolicy): void {
  const { allowOrigin = (origin) => origin === "file://" } = policy;
  if (!senderFrame) throw new BridgeRefusedError("The page that asked is gone.");
  if (senderFrame.parent) throw new BridgeRefusedError("A frame within a page may not ask.");
  const origin = originOf(senderFrame);
  if (!allowOrigin(origin)) throw new BridgeRefusedError(`${origin} may not ask.`);
}

/** Throws InvalidParamsError or BridgeRefusedError when these parameters may not be passed on. */
export function checkParams(method: NamedMethod, params: unknown, policy: BridgePolicy): void {
  const errors = misfits(params, PARAM_SCHEMAS[method], PARAM_DEFINITIONS);
  const [first] = errors;
  if (first) {
    const summary = `${first.path} ${first.message}`.trim();
    const data = { kind: "invalid_params", hint: "See data.errors.", summary, errors };
    throw new InvalidParamsError(-32602, `The parameters do not fit: ${summary}.`, data);
  }
  for (const path of pathsIn(params)) {
    if (!policy.allowPath?.(path, method)) {
      throw new BridgeRefusedError(`A page may not name the path ${path}.`);
    }
  }
}

/** Every value that is a path: under a key that says so, or absolute. */
export function pathsIn(value: unknown, key = ""): string[] {
  if (typeof value === "string") return isPath(key, value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, key));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => pathsIn(field, name));
}

function isPath(key: string, value: string): boolean {
  if (PROSE.has(key)) return false;
  if (/(^|_)(path|paths|dir|folder|file|dataset)$/.test(key)) return true;
  return posix.isAbsolute(value) || win32.isAbsolute(value) || value.split(/[\\/]/).includes("..");
}

function originOf({ url }: FrameLike): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return "unknown:";
  }
}
