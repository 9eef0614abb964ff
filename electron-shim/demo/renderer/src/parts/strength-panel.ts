import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { shared } from "../look/shared.js";
import { vars } from "../look/vars.js";
import type { Strength } from "../state/state.js";
import { titleOf } from "../state/titles.js";
import { strength } from "../strings/format.js";
import { StudioElement } from "./element.js";

const MAX = 1.5;

/** One slider for each style that is on. Sliding draws previews. */
export class StrengthPanel extends StudioElement {
  static override styles = [
    shared,
    css`
      :host {
        padding: 0 16px 16px;
        border-top: 1px solid var(--line);
        max-height: 264px;
        min-height: 132px;
        overflow-y: auto;
      }
      .head {
        display: flex;
        align-items: center;
        justify-content: space-between;
        height: 40px;
      }
      label {
        display: flex;
        align-items: center;
        color: var(--ink-2);
        cursor: pointer;
      }
      input[type="checkbox"] {
        width: 16px;
        height: 16px;
        margin: 0 8px 0 0;
        accent-color: var(--accent);
      }
      .one + .one {
        margin-top: 12px;
      }
      .line {
        display: flex;
        justify-content: space-between;
        margin-bottom: 2px;
      }
      .line span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .line output {
        margin-left: 8px;
        font-weight: 600;
      }
      .track {
        position: relative;
      }
      .best {
        position: absolute;
        top: 20px;
        left: calc(8px + (100% - 16px) * var(--low));
        width: calc((100% - 16px) * var(--wide));
        height: 4px;
        border: 1px solid var(--line-strong);
        border-top: 0;
      }
      input[type="range"] {
        display: block;
        width: 100%;
        height: 24px;
        background: transparent;
        -webkit-appearance: none;
        appearance: none;
        cursor: pointer;
      }
      input[type="range"]::-webkit-slider-runnable-track {
        height: 4px;
        border-radius: 2px;
        background: linear-gradient(
          to right,
          var(--accent) calc(8px + (100% - 16px) * var(--at)),
          var(--line) calc(8px + (100% - 16px) * var(--at))
        );
      }
      input[type="range"]::-webkit-slider-thumb {
        width: 16px;
        height: 16px;
        margin-top: -6px;
        border: 2px solid var(--accent);
        border-radius: 8px;
        background: var(--raised);
        -webkit-appearance: none;
      }
      input[type="range"]:focus {
        outline: none;
      }
      input[type="range"]:focus::-webkit-slider-thumb {
        outline: 2px solid var(--accent);
        outline-offset: 2px;
      }
      .hint {
        margin-top: 4px;
        font-size: 12px;
        line-height: 16px;
      }
    `,
  ];

  override render(): TemplateResult {
    const t = this.t.strength;
    const { strengths, preferences } = this.state;
    return html`
      <div class="head">
        <h2>${t.title}</h2>
        <label>
          <input
            type="checkbox"
            .checked=${preferences.livePreview}
            @change=${this.#live}
          />${t.live}
        </label>
      </div>
      ${
        strengths.length === 0
          ? html`<p class="soft">${t.none}</p>`
          : repeat(
              strengths,
              ({ name }) => name,
              (one) => this.#slider(one),
            )
      }
    `;
  }

  #slider({ name, alpha }: Strength): TemplateResult {
    const t = this.t.strength;
    const { cards } = this.state.styles;
    const card = cards.find((one) => one.name === name);
    const title = titleOf(cards, name);
    const [low, high] = card?.alpha_range ?? [0, 0];
    const said = (value: number): string => strength(value, this.locale);
    const band = { "--low": String(low / MAX), "--wide": String((high - low) / MAX) };
    return html`<div class="one">
      <div class="line"><span title=${title}>${title}</span><output class="figures">${said(alpha)}</output></div>
      <div class="track">
        ${high > low ? html`<span class="best" ${vars(band)}></span>` : nothing}
        <input
          type="range"
          data-testid="strength"
          min="0"
          max=${MAX}
          step="0.05"
          aria-label=${t.of(title)}
          aria-valuetext=${said(alpha)}
          .value=${String(alpha)}
          ${vars({ "--at": String(Math.min(1, Math.max(0, alpha / MAX))) })}
          @input=${(event: Event) => this.#slide(name, event)}
        />
      </div>
      ${high > low ? html`<p class="soft hint">${t.range(said(low), said(high))}</p>` : nothing}
    </div>`;
  }

  #slide(name: string, event: Event): void {
    this.studio.styles.slide(name, (event.target as HTMLInputElement).valueAsNumber);
  }

  readonly #live = (event: Event): void => {
    void this.studio.prefer({ livePreview: (event.target as HTMLInputElement).checked });
  };
}

customElements.define("sidecar-strength-panel", StrengthPanel);
