import type { Locale, SidecarApi } from "../api.js";
import type { CallOptions } from "../call-options.js";
import { BridgeRefusedError } from "../errors/faults.js";
import { errorToWire } from "../errors/wire.js";
import type { Unsubscribe } from "../events/emitter.js";
import { EVENT_NAMES, type SidecarEventName } from "../events/sidecar-events.js";
import type { NamedMethod } from "../methods.generated.js";
import type { ParamsOf } from "../tables.generated.js";
import {
  ABORT,
  CALL_EVENT,
  type CallTicket,
  callChannel,
  LISTEN,
  type Outcome,
  RESTART,
  SET_LOCALE,
  UNLISTEN,
} from "./channels.js";
import type { IpcMainLike, MessageLike } from "./electron.js";
import { type Page, Pages } from "./pages.js";
import { type BridgePolicy, checkParams, checkSender, openMethods } from "./policy.js";

const MAX_ID = 64;

/** What pages speak to: a SidecarClient, or what stands in for one. */
export interface BridgedSidecar extends Pick<SidecarApi, "request" | "on"> {
  setLocale?(locale: Locale): Promise<void>;
  restart?(): Promise<void>;
}

/**
 * Main's end of the bridge: answers the pages that `exposeSidecar` serves. Each method has a channel
 * of its own; who asks and what is asked are checked here, whatever the page did. Calls of a page
 * that is left, closed or crashed are cancelled. Returns how to close the bridge.
 */
export function registerSidecar(
  ipcMain: IpcMainLike,
  sidecar: BridgedSidecar,
  policy: BridgePolicy = {},
): Unsubscribe {
  const pages = new Pages();
  const methods = openMethods(policy);
  for (const method of methods) {
    ipcMain.handle(callChannel(method), (event: MessageLike, ticket: unknown, params: unknown) =>
      outcome(async (count) => {
        checkSender(event, policy);
        checkParams(method, params, policy);
        return call(sidecar, pages.of(event.sender), method, ticketOf(ticket), params, count);
      }),
    );
  }
  const controls = {
    [SET_LOCALE]: (locale: unknown) => sidecar.setLocale?.(localeOf(locale)),
    [RESTART]: () => sidecar.restart?.(),
  };
  for (const [channel, act] of Object.entries(controls)) {
    ipcMain.handle(channel, (event: MessageLike, word: unknown) =>
      outcome(async () => {
        checkSender(event, policy);
        await act(word);
      }),
    );
  }
  const onPage =
    (act: (page: Page, word: string) => void) => (event: MessageLike, word: unknown) => {
      if (typeof word === "string" && mayAsk(event, policy)) act(pages.of(event.sender), word);
    };
  const listeners = {
    [ABORT]: onPage((page, id) => page.abort(id)),
    [LISTEN]: onPage((page, name) => {
      if (isEventName(name)) page.listen(name, sidecar);
    }),
    [UNLISTEN]: onPage((page, name) => page.unlisten(name as SidecarEventName)),
  };
  for (const [channel, listener] of Object.entries(listeners)) ipcMain.on(channel, listener);
  return () => {
    for (const method of methods) ipcMain.removeHandler(callChannel(method));
    for (const channel of Object.keys(controls)) ipcMain.removeHandler(channel);
    for (const [channel, listener] of Object.entries(listeners)) {
      ipcMain.removeListener(channel, listener);
    }
    pages.clear();
  };
}

async function call(
  sidecar: Pick<SidecarApi, "request">,
  page: Page,
  method: NamedMethod,
  { id, timeoutMs }: CallTicket,
  params: unknown,
  count: () => void,
): Promise<unknown> {
  const controller = page.begin(id);
  if (!controller) throw new BridgeRefusedError(`The call id ${id} is in use.`);
  const tell = (name: string) => (event: unknown) => {
    count();
    page.tell(CALL_EVENT, id, name, event);
  };
  const options: CallOptions = {
    signal: controller.signal,
    timeoutMs,
    onProgress: tell("progress"),
    onThumbnail: tell("thumbnail"),
    onPreviewFrame: tell("preview_frame"),
  };
  try {
    return await sidecar.request(method, params as ParamsOf<typeof method>, options);
  } finally {
    page.end(id);
  }
}

async function outcome(work: (count: () => void) => Promise<unknown>): Promise<Outcome> {
  let told = 0;
  const count = (): void => {
    told += 1;
  };
  try {
    const result = await work(count);
    return { ok: true, result, told };
  } catch (error) {
    return { ok: false, error: errorToWire(error), told };
  }
}

function mayAsk(event: MessageLike, policy: BridgePolicy): boolean {
  try {
    checkSender(event, policy);
    return true;
  } catch {
    return false; // there is nobody to tell
  }
}

function ticketOf(ticket: unknown): CallTicket {
  const { id, timeoutMs } = (ticket ?? {}) as Partial<CallTicket>;
  if (typeof id !== "string" || id === "" || id.length > MAX_ID) {
    throw new BridgeRefusedError("A call needs an id.");
  }
  return { id, timeoutMs: Number.isFinite(timeoutMs) ? timeoutMs : undefined };
}

function localeOf(locale: unknown): Locale {
  if (locale === "en" || locale === "zh-CN") return locale;
  throw new BridgeRefusedError("There is no such language.");
}

function isEventName(name: string): name is SidecarEventName {
  return (EVENT_NAMES as readonly string[]).includes(name);
}
