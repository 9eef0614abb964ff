import type { LoraCard } from "@lora-sidecar/electron/renderer";
import { html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { blank, check, minus, plus, warning } from "../look/icons.js";
import { rove } from "../look/roving.js";
import { shared } from "../look/shared.js";
import { titleOf } from "../state/titles.js";
import { strength } from "../strings/format.js";
import { StudioElement } from "./element.js";
import { styles } from "./style-list.css.js";

/** The styles as cards: choose one, or mix several. */
export class StyleList extends StudioElement {
  static override styles = [shared, styles];

  #at = 0;

  override render(): TemplateResult {
    const { styles, strengths } = this.state;
    const { cards, wanted } = styles;
    const t = this.t.styles;
    const on = (name: string): boolean => strengths.some((one) => one.name === name);
    const coming = (name: string): boolean => !!wanted?.some((one) => one.name === name);
    return html`
      <div class="head">
        <h2 id="title">${t.label}</h2>
        <span class="soft hint" aria-live="polite">${styles.loading ? t.switching : nothing}</span>
      </div>
      <div
        class="cards"
        role="listbox"
        aria-labelledby="title"
        aria-multiselectable="true"
        aria-describedby="keys"
        aria-busy=${styles.loading}
        @keydown=${this.#key}
        @focusin=${this.#focused}
      >
        ${this.#none(strengths.length === 0, wanted?.length === 0)}
        ${repeat(
          cards,
          ({ name }) => name,
          (card, at) =>
            this.#card(card, at + 1, on(card.name), !on(card.name) && coming(card.name)),
        )}
        ${cards.length === 0 && styles.listed ? html`<p class="soft empty" role="presentation">${t.empty}</p>` : nothing}
      </div>
      <span class="heard" id="keys">${t.keys}</span>
    `;
  }

  #none(selected: boolean, coming: boolean): TemplateResult {
    return html`<div
      class="card"
      role="option"
      data-testid="style-card"
      tabindex=${this.#at === 0 ? 0 : -1}
      aria-selected=${selected}
      ?data-coming=${coming && !selected}
      title=${this.t.styles.noneHint}
      @click=${() => this.studio.styles.choose(null)}
    >
      <div class="picture"><span class="sign">${blank}</span></div>
      <div class="name"><span>${this.t.styles.none}</span></div>
    </div>`;
  }

  #card(card: LoraCard, at: number, on: boolean, coming: boolean): TemplateResult {
    const { strengths, styles } = this.state;
    const alpha = strengths.find(({ name }) => name === card.name)?.alpha;
    const title = titleOf(styles.cards, card.name);
    return html`<div
      class="card"
      role="option"
      data-testid="style-card"
      data-name=${card.name}
      tabindex=${this.#at === at ? 0 : -1}
      aria-selected=${on}
      ?data-coming=${coming}
      title=${this.#about(card)}
      @click=${() => this.studio.styles.choose(card.name)}
    >
      <div class="picture">
        ${
          card.preview_url
            ? html`<img src=${card.preview_url} alt="" draggable="false" />`
            : html`<span class="sign" aria-hidden="true">${title.slice(0, 1)}</span>`
        }
      </div>
      ${on && strengths.length > 1 ? html`<span class="on" aria-hidden="true">${check}</span>` : nothing}
      <span
        class="mix"
        aria-hidden="true"
        title=${on ? this.t.styles.takeOut : this.t.styles.mixIn}
        @click=${(event: Event) => this.#mix(event, card.name)}
        >${on ? minus : plus}</span
      >
      <div class="name">
        <span>${title}</span>
        ${card.warnings?.length ? html`<span class="doubt">${warning}</span>` : nothing}
        ${
          alpha === undefined
            ? nothing
            : html`<span class="alpha figures" aria-hidden="true">${strength(alpha, this.locale)}</span>`
        }
      </div>
    </div>`;
  }

  #about({ title, rank, license, warnings = [], name }: LoraCard): string {
    const { styles } = this.state;
    const file = name.toLowerCase() === title.toLowerCase() ? "" : name;
    const words = [title, file, rank ? this.t.styles.rank(rank) : "", license ?? ""];
    const warm = styles.warm.includes(name) ? [this.t.styles.warm] : [];
    return [words.filter(Boolean).join(" · "), ...warm, ...warnings].join("\n");
  }

  #mix(event: Event, name: string): void {
    event.stopPropagation();
    void this.studio.styles.mix(name);
  }

  get #options(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>("[role=option]")];
  }

  readonly #focused = (event: Event): void => {
    this.#at = Math.max(0, this.#options.indexOf(event.target as HTMLElement));
    this.requestUpdate();
  };

  readonly #key = (event: KeyboardEvent): void => {
    rove(event, this.#options, 2);
    if ((event.key !== "Enter" && event.key !== " ") || event.ctrlKey) return;
    event.preventDefault();
    const name = (event.target as HTMLElement).dataset["name"] ?? null;
    if (event.key === " " && name !== null) void this.studio.styles.mix(name);
    else void this.studio.styles.choose(name);
  };
}

customElements.define("sidecar-style-list", StyleList);
