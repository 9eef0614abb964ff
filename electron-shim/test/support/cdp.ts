// The Chrome DevTools Protocol, as much of it as drives one page of an old Electron.
import { vi } from "vitest";
import WebSocket from "ws";

/** Every wait ends after so long. */
const WAIT_MS = 60_000;
const LOOK_MS = 10_000;

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A page that is driven through its debugging port. */
export class DrivenPage {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
    socket.on("close", () => {
      for (const settle of this.#waiting.values()) settle({ error: { message: "closed" } });
    });
  }

  /** The page of the browser that listens on that port, as soon as it has one. */
  static async of(port: number): Promise<DrivenPage> {
    const address = await vi.waitFor(
      async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
        const targets = (await answer.json()) as { type: string; webSocketDebuggerUrl: string }[];
        const page = targets.find(({ type }) => type === "page");
        if (!page) throw new Error("there is no page yet");
        return page.webSocketDebuggerUrl;
      },
      { timeout: WAIT_MS, interval: 50 },
    );
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return new DrivenPage(socket);
  }

  /** One method of the DevTools protocol; a page that hangs or has crashed does not answer. */
  async send(
    method: string,
    params: object = {},
    timeout = WAIT_MS,
  ): Promise<Record<string, unknown>> {
    this.#lastId += 1;
    const id = this.#lastId;
    let late: NodeJS.Timeout | undefined;
    const answer = new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      const silent = { error: { message: `silent for ${timeout} ms` } };
      late = setTimeout(() => resolve(silent), timeout);
    });
    this.#post(id, method, params);
    const { result, error } = await answer;
    clearTimeout(late);
    this.#waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }

  /** The value of an expression, or what its promise resolves with. */
  async evaluate<T>(expression: string, timeout = WAIT_MS): Promise<T> {
    const wanted = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", wanted, timeout);
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Waits until an expression holds, and has its value. */
  until<T>(expression: string): Promise<T> {
    const truth = async (): Promise<T> => {
      const value = await this.evaluate<T>(expression, LOOK_MS);
      if (!value) throw new Error(`not yet: ${expression}`);
      return value;
    };
    return vi.waitFor(truth, { timeout: WAIT_MS, interval: 50 });
  }

  /** What is to be seen, as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(String(data), "base64");
  }

  /** As `evaluate`, where there may be nobody left to answer. */
  tell(expression: string): void {
    this.#post(0, "Runtime.evaluate", { expression });
  }

  /** Crashes the page's process. */
  crash(): void {
    this.#post(0, "Page.crash", {});
  }

  close(): void {
    this.#socket.close();
  }

  #post(id: number, method: string, params: object): void {
    this.#socket.send(JSON.stringify({ id, method, params }));
  }
}
