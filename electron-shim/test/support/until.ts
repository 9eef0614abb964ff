import type { EventSource, SidecarEventName, SidecarEvents } from "../../src/index.js";

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
