import { EventEmitter } from "node:events";
import type { IpcMainLike, MessageLike, SenderLike } from "@lora-sidecar/electron";
import type { WebSocket } from "ws";
import { type FromPage, parseFromPage, type ToPage } from "./messages.js";

type Handler = (event: MessageLike, ...args: unknown[]) => Promise<unknown>;
type Listener = (event: MessageLike, ...args: unknown[]) => void;

const PROTOCOL_FAULT = 1002;

/** Electron's `ipcMain`, for pages that speak over WebSockets. */
export class SocketMain implements IpcMainLike {
  readonly #handlers = new Map<string, Handler>();
  readonly #events = new EventEmitter();

  handle(channel: string, listener: Handler): void {
    this.#handlers.set(channel, listener);
  }

  removeHandler(channel: string): void {
    this.#handlers.delete(channel);
  }

  on(channel: string, listener: Listener): void {
    this.#events.on(channel, listener);
  }

  removeListener(channel: string, listener: Listener): void {
    this.#events.removeListener(channel, listener);
  }

  /** A page of that origin has connected. */
  serve(socket: WebSocket, origin: string): void {
    const sender = new SocketPage(socket);
    const event: MessageLike = { sender, senderFrame: { url: `${origin}/`, parent: null } };
    socket.on("message", (data) => {
      const message = parseFromPage(String(data));
      if (message) void this.#take(message, event, sender);
      else socket.close(PROTOCOL_FAULT, "not a message of this bridge");
    });
    socket.on("close", () => sender.emit("destroyed"));
    socket.on("error", () => socket.terminate()); // too large, or not a WebSocket's frames
  }

  async #take(message: FromPage, event: MessageLike, sender: SocketPage): Promise<void> {
    const { channel, args } = message;
    if (message.kind === "send") {
      this.#events.emit(channel, event, ...args);
      return;
    }
    const { id } = message;
    const handler = this.#handlers.get(channel);
    if (!handler) return sender.post({ kind: "refused", id });
    sender.post({ kind: "answer", id, value: await handler(event, ...args) });
  }
}

let pages = 0;

/** Electron's `webContents`: one connected page. */
class SocketPage extends EventEmitter implements SenderLike {
  readonly id = ++pages;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }

  isDestroyed(): boolean {
    return this.#socket.readyState !== this.#socket.OPEN;
  }

  send(channel: string, ...args: unknown[]): void {
    this.post({ kind: "message", channel, args });
  }

  post(message: ToPage): void {
    if (!this.isDestroyed()) this.#socket.send(JSON.stringify(message));
  }
}
