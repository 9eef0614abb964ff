import type { Readable, Writable } from "node:stream";
import {
  CancellationReceiverStrategy,
  type CancellationStrategy,
  type CancellationToken,
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
  NullLogger,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";
import { type CallOptions, tellCall } from "../call-options.js";
import { AnswerTimeoutError, NotASidecarError } from "../errors/faults.js";
import { errorFromAnswer } from "../errors/wire.js";
import { Silence } from "./silence.js";

type RequestId = number | string | null;

/** What a connection tells besides answers. */
export interface ConnectionListener {
  /** A notification; those of one request have been told to it before. */
  notified(name: string, params: unknown): void;
  /** What came over the pipe is not the protocol; nothing more can be understood. */
  failed(error: NotASidecarError): void;
  /** The pipe has ended; `close` is to be called with the reason once it is known. */
  ended(): void;
}

interface Call {
  readonly options: CallOptions;
  readonly silence: Silence;
  readonly giveUp: (reason: unknown) => void;
}

/** Hears how a request really ended. */
export interface Settled {
  readonly well?: (result: unknown) => void;
  readonly badly?: () => void;
}

/** JSON-RPC with one process. Whoever owns it calls `close` when that process has ended. */
export class Connection {
  readonly #rpc: MessageConnection;
  readonly #calls = new Map<RequestId, Call>();
  readonly #listener: ConnectionListener;
  #lastId: RequestId = null;
  #closed: Error | undefined;
  #close: (reason: Error) => void = () => {};
  readonly #end = new Promise<Error>((resolve) => {
    this.#close = resolve;
  });

  constructor(stdout: Readable, stdin: Writable, listener: ConnectionListener) {
    const reader = new StreamMessageReader(stdout);
    this.#listener = listener;
    this.#rpc = createMessageConnection(reader, new StreamMessageWriter(stdin), NullLogger, {
      cancellationStrategy: this.#cancellation(),
    });
    reader.onError((error) => listener.failed(new NotASidecarError(error)));
    this.#rpc.onNotification((name, params) => this.#notified(name, params));
    this.#rpc.onClose(() => listener.ended());
    this.#rpc.listen();
  }

  /** Whether the process is gone. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Send a request. See CallOptions for what ends it early. `settled` hears of the true outcome, also
   * when nobody waits for it any more; it is not called when the process is gone.
   */
  request(
    method: string,
    params: object,
    options: CallOptions,
    timeoutMs: number,
    settled: Settled = {},
  ): Promise<unknown> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    return new Promise((resolve, reject) => {
      const cancellation = new CancellationTokenSource();
      const answer = this.#send(method, params, cancellation.token);
      const giveUp = (reason: unknown): void => {
        cancellation.cancel();
        reject(reason);
      };
      const end = this.#follow(method, options, timeoutMs, giveUp);
      answer
        .then(
          (result) => {
            settled.well?.(result);
            resolve(result);
          },
          async (error: unknown) => {
            if (!isAnswer(error)) return reject(await this.#end); // how it ended is known soon
            settled.badly?.();
            reject(errorFromAnswer(error.code, error.message, error.data));
          },
        )
        .finally(end);
    });
  }

  /** Note a call that was just sent; `giveUp` when it is aborted, silent for too long, or orphaned. */
  #follow(
    method: string,
    options: CallOptions,
    timeoutMs: number,
    giveUp: (reason: unknown) => void,
  ): () => void {
    const { signal } = options;
    const id = this.#lastId;
    const silence = new Silence(timeoutMs, () => giveUp(new AnswerTimeoutError(method, timeoutMs)));
    const aborted = (): void => giveUp(signal?.reason);
    signal?.addEventListener("abort", aborted);
    this.#calls.set(id, { options, silence, giveUp });
    return () => {
      this.#calls.delete(id);
      silence.end();
      signal?.removeEventListener("abort", aborted);
    };
  }

  async #send(method: string, params: object, token: CancellationToken): Promise<unknown> {
    return this.#rpc.sendRequest(method, params, token); // it throws when the pipe has ended
  }

  /** Send a notification; one that cannot be sent any more is dropped. */
  notify(method: string, params: object): void {
    if (!this.#closed) this.#rpc.sendNotification(method, params).catch(() => {});
  }

  /** The process is gone: fail what waits and what comes, with that reason. */
  close(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#close(reason);
    this.#rpc.dispose(); // rejects what waits; `reason` is what they are told
  }

  #notified(name: string, params: unknown): void {
    const call = this.#calls.get(requestIdOf(params));
    if (call && !call.options.signal?.aborted) {
      call.silence.broken();
      tellCall(call.options, name, params);
    }
    this.#listener.notified(name, params);
  }

  /** As vscode-jsonrpc's own, and a note of the id that each request got, which it tells nobody. */
  #cancellation(): CancellationStrategy {
    return {
      receiver: CancellationReceiverStrategy.Message,
      sender: {
        enableCancellation: ({ id }) => {
          this.#lastId = id;
        },
        // async: it throws when the pipe has ended, and only a rejection is taken for that
        sendCancellation: async (rpc, id) => rpc.sendNotification("$/cancelRequest", { id }),
        cleanup: () => {},
      },
    };
  }
}

/** Whether the sidecar said so, and not vscode-jsonrpc of a pipe that broke. */
function isAnswer(error: unknown): error is ResponseError<unknown> {
  return error instanceof ResponseError && !(error.code <= -32096 && error.code >= -32099);
}

function requestIdOf(params: unknown): RequestId {
  const { request_id: id } = (params ?? {}) as { request_id?: RequestId };
  return id ?? null;
}
