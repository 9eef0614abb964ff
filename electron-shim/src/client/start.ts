import { SidecarClient, type SidecarOptions } from "./client.js";
import { type AppLike, stopWithApp } from "./quit.js";

/** What `startSidecar` takes. */
export interface StartOptions extends SidecarOptions {
  /** Electron's `app`: the sidecar is stopped before it quits. */
  readonly app?: AppLike | undefined;
}

/** Start a sidecar and wait until it is ready. See `SidecarClient.start` for what may go wrong. */
export async function startSidecar({ app, ...options }: StartOptions): Promise<SidecarClient> {
  const client = new SidecarClient(options);
  const unwire = app ? stopWithApp(app, client) : undefined;
  try {
    await client.start();
  } catch (error) {
    unwire?.();
    throw error;
  }
  return client;
}
