// What both sides export: the protocol's types and those of calls and events.
export type { Locale, SidecarApi } from "./api.js";
export type { CallOptions } from "./call-options.js";
export type { Unsubscribe } from "./events/emitter.js";
export type {
  EventSource,
  GaveUp,
  LifeEvents,
  Restarting,
  Restored,
  SidecarEventName,
  SidecarEvents,
} from "./events/sidecar-events.js";
export { METHOD_NAMES, type NamedMethod, SidecarMethods } from "./methods.generated.js";
export type * from "./protocol.generated.js";
export * from "./tables.generated.js";
