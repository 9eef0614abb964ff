import type { EventSource } from "./events/sidecar-events.js";
import type { SidecarMethods } from "./methods.generated.js";

/** A sidecar as both ends see it: every method and every event. What the helpers work on. */
export type SidecarApi = SidecarMethods & EventSource;
