import type { NotificationName, NotificationOf } from "../tables.generated.js";
import { NOTIFICATIONS } from "../tables.generated.js";
import type { Unsubscribe } from "./emitter.js";

/** The process ended without being asked to; another one is started. */
export interface Restarting {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it, if one did. */
  readonly signal: string | null;
  /** How many times it crashed within the budget's window. */
  readonly crashes: number;
  /** Milliseconds until the next start. */
  readonly delayMs: number;
}

/** A new process runs, and model and styles were put back into it. */
export interface Restored {
  /** The model that was put back; null when none was loaded. */
  readonly model: string | null;
  /** The LoRA stack that was put back. */
  readonly loras: readonly { readonly name: string; readonly alpha: number }[];
  /** What could not be put back, as sentences; empty when everything is as it was. */
  readonly failures: readonly string[];
}

/** It crashed too often; every request fails until `start` is called again. */
export interface GaveUp {
  readonly message: string;
  readonly hint: string;
}

/** What the package itself tells, besides the sidecar's notifications. */
export interface LifeEvents {
  restarting: Restarting;
  restored: Restored;
  gave_up: GaveUp;
}

/** Everything that can be listened to, by name. */
export type SidecarEvents = { [N in NotificationName]: NotificationOf<N> } & LifeEvents;

/** The name of something that can be listened to. */
export type SidecarEventName = keyof SidecarEvents;

/** Where notifications and life-cycle events come from: the client, or the page's end of the bridge. */
export interface EventSource {
  /** Call `listener` for each event of that name; returns how to stop. */
  on<N extends SidecarEventName>(name: N, listener: (event: SidecarEvents[N]) => void): Unsubscribe;
}

const LIFE_EVENTS = ["restarting", "restored", "gave_up"] as const satisfies (keyof LifeEvents)[];

/** Every name of `SidecarEvents`. */
export const EVENT_NAMES: readonly SidecarEventName[] = [...NOTIFICATIONS, ...LIFE_EVENTS];
