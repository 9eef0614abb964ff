import type { IpcRendererLike } from "@lora-sidecar/electron/preload";
import { BridgeRefusedError, SidecarFault } from "@lora-sidecar/electron/renderer";
import type { FromPage, ToPage } from "./messages.js";

type Listener = (event: unknown, ...args: unknown[]) => void;

interface Waiting {
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The server has ended, or the connection to it broke. */
export const GONE = {
  message: "The development server is gone.",
  hint: "Start `make app-web` again and open the address that it prints.",
} as const;

/** Electron's `ipcRenderer`, over a WebSocket that is open. */
export class SocketRenderer implements IpcRendererLike {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Map<string, Listener[]>();
  #lastId = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(data) as ToPage));
    socket.addEventListener("close", () => this.#gone());
  }

  invoke(channel: string, ...args: unknown[]): Promise<unknown> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(gone());
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#post({ kind: "invoke", id, channel, args });
    });
  }

  send(channel: string, ...args: unknown[]): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#post({ kind: "send", channel, args });
  }

  on(channel: string, listener: Listener): void {
    this.#listeners.set(channel, [...(this.#listeners.get(channel) ?? []), listener]);
  }

  #post(message: FromPage): void {
    this.#socket.send(JSON.stringify(message));
  }

  #take(message: ToPage): void {
    if (message.kind === "message") {
      for (const listener of this.#listeners.get(message.channel) ?? []) {
        listener({}, ...message.args);
      }
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "answer") waiting?.resolve(message.value);
    else waiting?.reject(new BridgeRefusedError("The development server has no such channel."));
  }

  #gone(): void {
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }
}

function gone(): SidecarFault {
  return new SidecarFault("sidecar_gone", GONE.message, GONE.hint);
}
