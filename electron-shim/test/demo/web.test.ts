// The development bridge: the page's own code on one side, the server on the other.
import { request } from "node:http";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { addressFor, connectOverWebSocket } from "../../demo/web/client.js";
import { serveWeb, type WebServer } from "../../demo/web/server.js";
import { LoraNotFoundError } from "../../src/index.js";
import { connectSidecar, type PageSidecar } from "../../src/renderer.js";
import { FakeApi } from "../support/fake-api.js";
import { pageFolder } from "../support/page-folder.js";
import { PATIENCE } from "../support/until.js";

/** A browser's WebSocket: it says which page it belongs to, and errors are events. */
class PageSocket extends WebSocket {
  static newest: PageSocket | undefined;

  constructor(address: string) {
    super(address, { origin: new URL(address).origin.replace("ws:", "http:") });
    this.on("error", () => {});
    PageSocket.newest = this;
  }
}

beforeAll(() => vi.stubGlobal("WebSocket", PageSocket));
afterAll(() => vi.unstubAllGlobals());

interface Web {
  readonly api: FakeApi;
  readonly server: WebServer;
  readonly url: URL;
}

async function web(): Promise<Web> {
  const api = new FakeApi();
  const server = await serveWeb(api, pageFolder());
  onTestFinished(() => server.close());
  return { api, server, url: new URL(server.address) };
}

async function page({ url }: Web): Promise<PageSidecar> {
  return connectSidecar(await connectOverWebSocket(addressFor(url)));
}

/** Until the server has been asked for that method. */
const asked = (api: FakeApi, method: Parameters<FakeApi["last"]>[0]) =>
  vi.waitFor(() => api.last(method), PATIENCE);

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly cookie: string;
}

/** An HTTP request in which everything can be forged; its path goes out as it is. */
function ask(
  { port }: URL,
  path: string,
  { host = "127.0.0.1", ...options }: { host?: string; method?: string; headers?: object } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asking = request({ ...options, host, port, path, headers: { ...options.headers } });
    asking.on("error", reject).on("response", async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      const [cookie = ""] = (response.headers["set-cookie"] ?? [""])[0]?.split(";") ?? [];
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString(), cookie });
    });
    asking.end();
  });
}

/** Tries to open the bridge; resolves with what the server answered. */
function knock(url: URL, path: string, origin: string | undefined): Promise<string> {
  const socket = new WebSocket(`ws://${url.host}${path}`, origin === undefined ? {} : { origin });
  return new Promise((resolve) => {
    socket.on("open", () => {
      socket.close();
      resolve("open");
    });
    socket.on("error", ({ message }) => resolve(message));
  });
}

test("the address with the token opens the page, and its cookie the parts of it", async () => {
  const { url } = await web();
  const first = await ask(url, `/${url.search}`);
  expect([first.status, first.body]).toEqual([200, "<title>The page</title>"]);
  expect((await ask(url, "/assets/a.js", { headers: { cookie: first.cookie } })).status).toBe(200);
  expect((await ask(url, "/assets/a.js")).status).toBe(403);
});

test.each([
  ["without a token", "/", {}],
  ["with another token", "/?token=AAAA", {}],
  ["with another cookie", "/", { headers: { cookie: "lora-sidecar-1=AAAA" } }],
  ["under another name of this machine", "TOKEN", { headers: { host: "rebound.example" } }],
])("a request %s is refused", async (_, path, options) => {
  const { url } = await web();
  const { status, body } = await ask(url, path.replace("TOKEN", `/${url.search}`), options);
  expect(status).toBe(403);
  expect(body).toContain("make app-web");
});

test("only reading is answered, and nothing outside the page's folder", async () => {
  const { url } = await web();
  expect((await ask(url, `/${url.search}`, { method: "POST" })).status).toBe(405);
  for (const path of ["/../secret.html", "/..%2fsecret.html", "/%2e%2e/secret.html", "//", "/%"]) {
    const { status, body } = await ask(url, `${path}${url.search}`);
    expect([path, status, body.includes("secret")]).toEqual([path, expect.any(Number), false]);
  }
});

test("it listens on 127.0.0.1 and on no other address", async () => {
  const { url } = await web();
  await expect(ask(url, "/", { host: "127.0.0.2" })).rejects.toMatchObject({
    code: "ECONNREFUSED",
  });
});

test("each start has a token of its own", async () => {
  const [one, other] = [await web(), await web()];
  expect(one.url.search).not.toBe(other.url.search);
  expect(one.url.searchParams.get("token")?.length).toBeGreaterThanOrEqual(43); // 256 bits
});

test("the bridge opens for our own page with the token only", async () => {
  const { url } = await web();
  const path = `/bridge${url.search}`;
  expect(await knock(url, path, url.origin)).toBe("open");
  expect(await knock(url, path, "http://evil.example")).toContain("403");
  expect(await knock(url, path, `http://localhost:${url.port}`)).toContain("403");
  expect(await knock(url, path, undefined)).toContain("403");
  expect(await knock(url, "/bridge?token=AAAA", url.origin)).toContain("403");
  expect(await knock(url, "/bridge", url.origin)).toContain("403");
  expect(await knock(url, `/other${url.search}`, url.origin)).toContain("403");
});

test("a page that is not let in is told so", async () => {
  const { url } = await web();
  const wrong = addressFor({ host: url.host, search: "?token=AAAA" });
  await expect(connectOverWebSocket(wrong)).rejects.toThrow("did not let this page in");
});

test("a call crosses with its progress and its result, and an error as its class", async () => {
  const it = await web();
  const sidecar = await page(it);
  const percents: number[] = [];
  const drawing = sidecar.generate(
    { prompt: "red apple" },
    { onProgress: ({ percent }) => percents.push(percent) },
  );
  const call = await asked(it.api, "generate");
  call.options.onProgress?.({ percent: 50 } as never);
  call.answer({ job_id: "j", images: [] });
  expect(await drawing).toEqual({ job_id: "j", images: [] });
  expect(percents).toEqual([50]);

  const switching = sidecar.switchLora({ name: "nowhere" });
  const data = { kind: "lora_not_found", hint: "look", name: "nowhere" };
  (await asked(it.api, "switch_lora")).fail(new LoraNotFoundError(1001, "There is none.", data));
  await expect(switching).rejects.toBeInstanceOf(LoraNotFoundError);
});

test("the server checks parameters and paths as main does", async () => {
  const it = await web();
  const sidecar = await page(it);
  const refused = [
    sidecar.generate({ prompt: "a", steps: 0 }),
    sidecar.generate({ prompt: "a", init_image: { path: "/etc/passwd" } }),
  ];
  const kinds = refused.map((one) => one.catch((error) => error.kind));
  expect(await Promise.all(kinds)).toEqual(["invalid_params", "bridge_refused"]);
  expect(it.api.asked).toEqual([]);
});

test("events reach the pages that listen; abort and a closed page cancel", async () => {
  const it = await web();
  const sidecar = await page(it);
  const heard = vi.fn();
  sidecar.on("restarting", heard);
  it.api.always.ping = () => ({});
  await sidecar.ping(); // what was sent before has arrived
  const event = { code: 1, signal: null, crashes: 1, delayMs: 0 };
  it.api.events.emit("restarting", event);
  await vi.waitFor(() => expect(heard.mock.calls).toEqual([[event]]), PATIENCE);

  const controller = new AbortController();
  const drawing = sidecar.generate({ prompt: "a" }, { signal: controller.signal });
  const first = await asked(it.api, "generate");
  controller.abort();
  await expect(drawing).rejects.toMatchObject({ name: "AbortError" });
  await vi.waitFor(() => expect(first.options.signal?.aborted).toBe(true), PATIENCE);

  sidecar.preview({ prompt: "a" }).catch(() => {});
  const second = await asked(it.api, "preview");
  PageSocket.newest?.close();
  await vi.waitFor(() => expect(second.options.signal?.aborted).toBe(true), PATIENCE);
});

test("a page whose server ends is told, and so is everything it waits for", async () => {
  const it = await web();
  const sidecar = await page(it);
  const told = new Promise((resolve) => sidecar.on("gave_up", resolve));
  const lost = sidecar.generate({ prompt: "a" }).catch((error) => error.kind);
  await asked(it.api, "generate");
  await it.server.close();
  expect(await lost).toBe("sidecar_gone");
  expect(await told).toMatchObject({ message: "The development server is gone." });
  await expect(sidecar.ping()).rejects.toMatchObject({ kind: "sidecar_gone" });
});

test.each([
  "no json",
  "null",
  "[]",
  '{"kind":"invoke","channel":"x","args":[]}',
  '{"kind":"send","channel":7,"args":[]}',
  '{"kind":"constructor","id":1,"channel":"x","args":[]}',
])("what is no message of the bridge ends the connection: %s", async (text) => {
  const { url } = await web();
  const socket = new WebSocket(addressFor(url), { origin: url.origin });
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("open", () => socket.send(text));
  expect(await closed).toBe(1002);
});

test("a channel that is not the bridge's is refused", async () => {
  const { url } = await web();
  const socket = new WebSocket(addressFor(url), { origin: url.origin });
  const answer = new Promise((resolve) => socket.on("message", (data) => resolve(String(data))));
  socket.on("open", () =>
    socket.send('{"kind":"invoke","id":1,"channel":"lora-sidecar:call:shutdown","args":[]}'),
  );
  expect(await answer).toBe('{"kind":"refused","id":1}');
  socket.close();
});
