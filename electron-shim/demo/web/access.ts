import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TOKEN } from "./messages.js";

/**
 * Who may come in: a browser of this machine that was given the address with the token. Another
 * site's page can reach a loopback port too; it knows no token, its Origin is another, and one that
 * points its own name at 127.0.0.1 (DNS rebinding) sends that name as Host.
 */
export class Access {
  /** Made anew at each start. */
  readonly token = randomBytes(32).toString("base64url");
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Where the page is. */
  get origin(): string {
    return `http://${this.#host}`;
  }

  /** What is to be opened in a browser. */
  get address(): string {
    return `${this.origin}/?${TOKEN}=${this.token}`;
  }

  /** Lets the page's own files and pictures be loaded, which have no token in their address. */
  get cookie(): string {
    return `${this.#cookieName}=${this.token}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** What is asked for; the page itself when that is no URL. */
  urlOf({ url = "/" }: IncomingMessage): URL {
    try {
      return new URL(url, this.origin);
    } catch {
      return new URL(this.origin);
    }
  }

  /** Whether a request for the page or a part of it may be answered. */
  admitsRequest(request: IncomingMessage): boolean {
    return this.#isForUs(request) && (this.#hasToken(request) || this.#hasCookie(request));
  }

  /** Whether a WebSocket may be opened; its address has the token, and its Origin is our page's. */
  admitsSocket(request: IncomingMessage): boolean {
    const { origin } = request.headers;
    return this.#isForUs(request) && origin === this.origin && this.#hasToken(request);
  }

  get #host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get #cookieName(): string {
    return `lora-sidecar-${this.#port}`; // cookies know hosts, not ports
  }

  #isForUs({ headers: { host } }: IncomingMessage): boolean {
    return host === this.#host;
  }

  #hasToken(request: IncomingMessage): boolean {
    return this.#isToken(this.urlOf(request).searchParams.get(TOKEN) ?? "");
  }

  #hasCookie({ headers: { cookie = "" } }: IncomingMessage): boolean {
    const named = `${this.#cookieName}=`;
    const ours = cookie.split("; ").filter((one) => one.startsWith(named));
    return ours.some((one) => this.#isToken(one.slice(named.length)));
  }

  #isToken(given: string): boolean {
    const [a, b] = [Buffer.from(given), Buffer.from(this.token)];
    return a.length === b.length && timingSafeEqual(a, b);
  }
}
