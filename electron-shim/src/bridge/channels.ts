import type { WireError } from "../errors/wire.js";
import type { NamedMethod } from "../methods.generated.js";

/** What every channel of ours begins with. */
const PREFIX = "lora-sidecar";

/** Page to main: one call of a method; answered with an Outcome. */
export const callChannel = (method: NamedMethod): string => `${PREFIX}:call:${method}`;

/** Page to main: the call with that id is no longer wanted. */
export const ABORT = `${PREFIX}:abort`;

/** Page to main: start the sidecar again after it gave up; answered with an Outcome. */
export const RESTART = `${PREFIX}:restart`;

/** Page to main: begin to send events of that name. */
export const LISTEN = `${PREFIX}:listen`;
/** Page to main: send events of that name no more. */
export const UNLISTEN = `${PREFIX}:unlisten`;

/** Page to main: the language of messages from now on; answered with an Outcome. */
export const SET_LOCALE = `${PREFIX}:set-locale`;

/** Main to page: an event that the page listens to. */
export const EVENT = `${PREFIX}:event`;

/** Main to page: a notification that belongs to one call. */
export const CALL_EVENT = `${PREFIX}:call-event`;

/** How a call ended. Errors cross as data: Electron keeps only the message of a thrown one. */
export type Outcome = { readonly told: number } & (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: WireError }
);
// `told`: how many notifications of the call were sent. Electron may deliver the answer before the
// last of them, so the page's end waits until it has heard them all.

/** What a page says about one call, as it crosses the bridge. */
export interface CallTicket {
  /** Chosen by the page; unique among its calls. */
  readonly id: string;
  /** As in CallOptions. */
  readonly timeoutMs?: number | undefined;
}
