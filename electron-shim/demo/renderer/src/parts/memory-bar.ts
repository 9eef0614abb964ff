import type { DeviceMemory, VramReport } from "@lora-sidecar/electron/renderer";
import { html, nothing, type TemplateResult } from "lit";
import { shared } from "../look/shared.js";
import { vars } from "../look/vars.js";
import { bytes } from "../strings/format.js";
import { StudioElement } from "./element.js";
import { styles } from "./memory-bar.css.js";

/** Who has how much of it. */
interface Shares {
  readonly ours: number;
  readonly others: number;
  readonly total: number;
}

/** Video memory where there is some, else main memory: ours, others', free. Opens into a table. */
export class MemoryBar extends StudioElement {
  static override properties = { studio: { attribute: false }, open: { state: true } };
  static override styles = [shared, styles];

  declare open: boolean;
  readonly #outside = (event: Event): void => {
    if (!event.composedPath().includes(this)) this.open = false;
  };

  constructor() {
    super();
    this.open = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("pointerdown", this.#outside);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("pointerdown", this.#outside);
  }

  override render(): TemplateResult {
    const { memory } = this.state;
    const shares = memory && sharesOf(memory);
    const size = (count: number): string => bytes(count, this.locale);
    const t = this.t.memory;
    const said = shares ? t.label(size(shares.ours), size(shares.total)) : t.unknown;
    return html`
      <button
        class="button quiet figures"
        data-testid="memory-bar"
        aria-label=${said}
        aria-expanded=${this.open}
        title=${said}
        @click=${this.#toggle}
        @keydown=${this.#key}
      >
        ${this.#bar(shares)}
        <span>${shares ? `${size(shares.ours)} / ${size(shares.total)}` : "–"}</span>
      </button>
      ${this.open && memory ? this.#sheet(memory) : nothing}
    `;
  }

  #bar(shares: Shares | null): TemplateResult {
    const { ours, others, total } = shares ?? { ours: 0, others: 0, total: 1 };
    return html`<span class="bar" aria-hidden="true">
      <i class="ours" ${vars({ "--share": String(ours / total) })}></i>
      <i class="others" ${vars({ "--share": String(others / total) })}></i>
    </span>`;
  }

  #sheet(memory: VramReport): TemplateResult {
    const t = this.t.memory;
    const graphics = memory.devices.filter(isGraphics);
    return html`<div class="sheet" @keydown=${this.#key}>
      ${graphics.map((device) => this.#share(device.name, ofDevice(device)))}
      ${this.#share(t.ram, ofRam(memory), [
        [t.front, memory.rss_front],
        [t.engine, memory.rss_engine ?? 0],
      ])}
      ${memory.components.length > 0 ? this.#parts(memory) : nothing}
    </div>`;
  }

  #share(
    name: string,
    shares: Shares,
    ours: readonly (readonly [string, number])[] = [[this.t.app, shares.ours]],
  ): TemplateResult {
    const t = this.t.memory;
    const row = (kind: string, label: string, count: number): TemplateResult =>
      html`<tr><td><i class="dot ${kind}"></i>${label}</td><td class="figures">${bytes(count, this.locale)}</td></tr>`;
    return html`
      <div class="head">
        <h2>${name}</h2>
        <span class="soft figures">${t.ofTotal(bytes(shares.total, this.locale))}</span>
      </div>
      ${this.#bar(shares)}
      <table>
        ${ours.map(([label, count]) => row("ours", label, count))}
        ${row("others", t.others, shares.others)}
        ${row("", t.free, shares.total - shares.ours - shares.others)}
      </table>
    `;
  }

  #parts({ components }: VramReport): TemplateResult {
    const t = this.t.memory;
    return html`<div class="parts">
      <h2>${t.parts}</h2>
      <table>
        ${components.map(
          ({ name, bytes: count, dtype, device }) => html`<tr>
            <td>${name} <span class="soft">${dtype} · ${device}</span></td>
            <td class="figures">${bytes(count, this.locale)}</td>
          </tr>`,
        )}
      </table>
    </div>`;
  }

  readonly #toggle = (): void => {
    this.open = !this.open;
    if (this.open) void this.studio.life.look();
  };

  readonly #key = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.open) return;
    event.stopPropagation();
    this.open = false;
    this.renderRoot.querySelector("button")?.focus();
  };
}

function isGraphics({ kind, total }: DeviceMemory): boolean {
  return kind !== "cpu" && total !== null;
}

function sharesOf(memory: VramReport): Shares {
  const device = memory.devices.find(isGraphics);
  return device ? ofDevice(device) : ofRam(memory);
}

function ofDevice({ total, free, used_by_process }: DeviceMemory): Shares {
  const whole = total ?? 1;
  const ours = used_by_process ?? 0;
  return { ours, total: whole, others: Math.max(0, whole - (free ?? whole - ours) - ours) };
}

function ofRam({ ram_total: total, ram_available, rss_front, rss_engine }: VramReport): Shares {
  const ours = rss_front + (rss_engine ?? 0);
  return { ours, total, others: Math.max(0, total - ram_available - ours) };
}

customElements.define("sidecar-memory-bar", MemoryBar);
