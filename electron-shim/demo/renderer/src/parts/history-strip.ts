import type { HistoryEntry } from "@lora-sidecar/electron/renderer";
import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { bin, pinned } from "../look/icons.js";
import { rove } from "../look/roving.js";
import { shared } from "../look/shared.js";
import { SURE_MS } from "../look/sure.js";
import { isDrawn } from "../state/prompts.js";
import { titleOf } from "../state/titles.js";
import { moment } from "../strings/format.js";
import { StudioElement } from "./element.js";

/** Pixels from the end of the strip. */
const NEAR = 400;

/** The finished pictures, newest first. One click brings one back as it was. */
export class HistoryStrip extends StudioElement {
  static override properties = { studio: { attribute: false }, sure: { state: true } };
  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      .head {
        display: flex;
        align-items: center;
        justify-content: space-between;
        height: 40px;
        padding: 0 16px;
      }
      .entries {
        flex: 1;
        min-height: 0;
        padding: 4px 16px 16px;
        overflow-y: auto;
        overscroll-behavior: contain;
      }
      .entry {
        position: relative;
        width: 80px;
        height: 80px;
        border-radius: 6px;
        background: var(--stage);
        cursor: pointer;
        animation: enter 260ms ease-out;
      }
      .entry + .entry {
        margin-top: 8px;
      }
      .entry img {
        display: block;
        width: 100%;
        height: 100%;
        border: 1px solid var(--line);
        border-radius: 6px;
        object-fit: cover;
      }
      .entry:hover img {
        border-color: var(--line-strong);
      }
      .entry[aria-selected="true"] img {
        border-color: var(--accent);
        box-shadow: 0 0 0 1px var(--accent);
      }
      .entry[data-coming] img {
        opacity: 0.5;
      }
      .pinned {
        position: absolute;
        top: 0;
        right: 4px;
        color: var(--accent);
      }
      .blank {
        width: 80px;
        height: 80px;
        margin: 4px 16px;
        padding: 8px;
        border: 1px dashed var(--line-strong);
        border-radius: 6px;
        font-size: 12px;
        line-height: 16px;
        overflow-wrap: break-word;
      }
      .foot {
        padding: 8px 16px 16px;
        border-top: 1px solid var(--line);
      }
      .foot .button {
        width: 80px;
        padding: 0 4px;
      }
      @keyframes enter {
        from {
          opacity: 0;
          transform: translateY(-8px);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .entry {
          animation: none;
        }
      }
    `,
  ];

  /** The question whether to delete them all stands there. */
  declare sure: boolean;
  #at: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.sure = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  override render(): TemplateResult {
    const t = this.t.history;
    const { entries, total } = this.state.history;
    const stop = entries.some(({ id }) => id === this.#at) ? this.#at : entries[0]?.id;
    return html`
      <div class="head">
        <h2 id="title">${t.label}</h2>
        <span class="soft figures">${total || nothing}</span>
      </div>
      ${entries.length === 0 && this.state.model.stage !== "starting" ? html`<p class="blank soft">${t.empty}</p>` : nothing}
      <div
        class="entries"
        role="listbox"
        aria-labelledby="title"
        aria-describedby="keys"
        @keydown=${this.#key}
        @focusin=${this.#focused}
        @scroll=${this.#scrolled}
      >
        ${repeat(
          entries,
          ({ id }) => id,
          (entry) => this.#entry(entry, entry.id === stop),
        )}
      </div>
      <span class="heard" id="keys">${t.keys}</span>
      ${entries.some((entry) => !entry.pinned) ? this.#foot() : nothing}
    `;
  }

  #foot(): TemplateResult {
    const t = this.t.history;
    return html`<div class="foot">
      ${
        this.sure
          ? html`<button
              class="button danger"
              data-testid="clear-history"
              title=${t.clearHint}
              @click=${this.#clear}
            >
              ${t.clearSure}
            </button>`
          : html`<button
              class="button quiet"
              data-testid="clear-history"
              title=${t.clearHint}
              @click=${this.#ask}
            >
              ${bin}<span>${t.clear}</span>
            </button>`
      }
    </div>`;
  }

  #entry(entry: HistoryEntry, stop: boolean): TemplateResult {
    const { history, look } = this.state;
    const said = this.#said(entry);
    return html`<div
      class="entry"
      role="option"
      data-testid="history-entry"
      data-id=${entry.id}
      tabindex=${stop ? 0 : -1}
      aria-selected=${look?.historyId === entry.id}
      aria-label=${said}
      title=${said}
      ?data-coming=${history.travelling === entry.id}
      @click=${() => this.studio.pictures.travelTo(entry.id)}
    >
      <img src=${entry.thumbnail} alt="" draggable="false" loading="lazy" />
      ${entry.pinned ? html`<span class="pinned">${pinned}</span>` : nothing}
    </div>`;
  }

  #said({ parameters, created, pinned: kept }: HistoryEntry): string {
    const { cards } = this.state.styles;
    const titles = parameters.loras.map(({ name }) => titleOf(cards, name));
    const style = titles.join(" + ") || (isDrawn(parameters) ? this.t.styles.none : "");
    const words = parameters.own_prompt || parameters.prompt || this.t.enhance.done;
    const said = this.t.history.entry(words, style, moment(created, this.locale));
    return kept ? `${said}, ${this.t.history.pinned}` : said;
  }

  get #options(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>("[role=option]")];
  }

  readonly #ask = (): void => {
    this.sure = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.sure = false;
    }, SURE_MS);
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>(".danger")?.focus(),
    );
  };

  readonly #clear = (): void => {
    this.sure = false;
    void this.studio.pictures.clear();
  };

  /** Older ones are fetched before the end is reached. */
  readonly #scrolled = (event: Event): void => {
    const { scrollTop, scrollHeight, clientHeight } = event.currentTarget as HTMLElement;
    if (scrollHeight - scrollTop - clientHeight < NEAR) this.studio.pictures.older();
  };

  readonly #focused = (event: Event): void => {
    this.#at = (event.target as HTMLElement).dataset["id"] ?? null;
    this.requestUpdate();
  };

  readonly #key = (event: KeyboardEvent): void => {
    rove(event, this.#options);
    const { id } = (event.target as HTMLElement).dataset;
    if (id === undefined || event.ctrlKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      void this.studio.pictures.travelTo(id);
    }
  };
}

customElements.define("sidecar-history-strip", HistoryStrip);
