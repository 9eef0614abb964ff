import type { Unsubscribe } from "../events/emitter.js";

type QuitListener = (event: { preventDefault(): void }) => void;

/** The part of Electron's `app` that is needed. */
export interface AppLike {
  on(event: "before-quit", listener: QuitListener): unknown;
  removeListener(event: "before-quit", listener: QuitListener): unknown;
  quit(): void;
}

/**
 * Stop the sidecar before the app quits: the first `before-quit` is held back until its processes
 * are gone, then the app quits. Returns how to undo the wiring.
 */
export function stopWithApp(app: AppLike, sidecar: { stop(): Promise<void> }): Unsubscribe {
  let phase: "running" | "stopping" | "stopped" = "running";
  const listener: QuitListener = (event) => {
    if (phase === "stopped") return;
    event.preventDefault();
    if (phase === "stopping") return;
    phase = "stopping";
    void sidecar.stop().finally(() => {
      phase = "stopped";
      app.quit();
    });
  };
  app.on("before-quit", listener);
  return () => app.removeListener("before-quit", listener);
}
