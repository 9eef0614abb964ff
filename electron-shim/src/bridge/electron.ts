// The parts of Electron's types that the bridge needs, spelled out, so that this package is tested
// without Electron. test/types/electron.ts checks that Electron's own types fit.

/** A page's frame. */
export interface FrameLike {
  readonly url: string;
  readonly parent: FrameLike | null;
}

/** A page's web contents, as main sees them. */
export interface SenderLike {
  readonly id: number;
  isDestroyed(): boolean;
  send(channel: string, ...args: unknown[]): void;
  on(event: "did-navigate", listener: () => void): unknown;
  on(event: "render-process-gone", listener: () => void): unknown;
  once(event: "destroyed", listener: () => void): unknown;
  removeListener(event: "did-navigate", listener: () => void): unknown;
  removeListener(event: "render-process-gone", listener: () => void): unknown;
}

/** What comes with a message from a page. */
export interface MessageLike {
  readonly sender: SenderLike;
  readonly senderFrame: FrameLike | null;
}

/** Electron's `ipcMain`. */
export interface IpcMainLike {
  handle(
    channel: string,
    // biome-ignore lint/suspicious/noExplicitAny: as Electron declares it
    listener: (event: any, ...args: any[]) => Promise<unknown>,
  ): void;
  removeHandler(channel: string): void;
  // biome-ignore lint/suspicious/noExplicitAny: as Electron declares it
  on(channel: string, listener: (event: any, ...args: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as Electron declares it
  removeListener(channel: string, listener: (...args: any[]) => void): unknown;
}

/** Electron's `contextBridge`. */
export interface ContextBridgeLike {
  exposeInMainWorld(key: string, api: unknown): void;
}

/** Electron's `ipcRenderer`. */
export interface IpcRendererLike {
  invoke(channel: string, ...args: unknown[]): Promise<unknown>;
  send(channel: string, ...args: unknown[]): void;
  // biome-ignore lint/suspicious/noExplicitAny: as Electron declares it
  on(channel: string, listener: (event: any, ...args: any[]) => void): unknown;
}
