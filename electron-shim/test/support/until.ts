import type { EventSource, SidecarEventName, SidecarEvents } from "../../src/index.js";

/** How long to wait for what nobody tells of; it matters only where something is broken. */
export const PATIENCE = { timeout: 60_000, interval: 20 };

/** The next event of that name that is wanted. The test's own time limit bounds the wait. */
export function next<N extends SidecarEventName>(
  source: EventSource,
  name: N,
  wanted: (event: SidecarEvents[N]) => boolean = () => true,
): Promise<SidecarEvents[N]> {
  return new Promise((resolve) => {
    const off = source.on(name, (event) => {
      if (!wanted(event)) return;
      off();
      resolve(event);
    });
  });
}
