import type { PictureEvent, ProgressEvent } from "./protocol.generated.js";

/** What may be said about one call, besides its parameters. */
export interface CallOptions {
  /** Aborting it cancels the request; the promise rejects with the signal's reason at once. */
  readonly signal?: AbortSignal | undefined;
  /** How far this request is. `percent` never goes back. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** The first small look at a picture in work. */
  readonly onThumbnail?: ((event: PictureEvent) => void) | undefined;
  /** Later looks at a picture in work. */
  readonly onPreviewFrame?: ((event: PictureEvent) => void) | undefined;
  /**
   * The longest silence, in milliseconds, before the request is cancelled and fails with
   * `AnswerTimeoutError`; progress counts as news. Default: 30 s for what is answered at once,
   * 10 min for what goes through the queue. 0: wait for ever.
   */
  readonly timeoutMs?: number | undefined;
}

/** Hand a notification of one call to the listener that was given for it. */
export function tellCall(options: CallOptions, name: string, params: unknown): void {
  if (name === "progress") options.onProgress?.(params as ProgressEvent);
  else if (name === "thumbnail") options.onThumbnail?.(params as PictureEvent);
  else if (name === "preview_frame") options.onPreviewFrame?.(params as PictureEvent);
}
