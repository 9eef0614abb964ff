import type { EventSource } from "./events/sidecar-events.js";
import type { SidecarMethods } from "./methods.generated.js";
import type { InitializeParams } from "./protocol.generated.js";

/** A language of messages and hints. */
export type Locale = NonNullable<InitializeParams["locale"]>;

/** A sidecar as both ends see it: every method and every event. What the helpers work on. */
export type SidecarApi = SidecarMethods & EventSource;
