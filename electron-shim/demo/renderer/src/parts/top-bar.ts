import { css, html, nothing, type TemplateResult } from "lit";
import { half, moon, sign, sun, wand } from "../look/icons.js";
import { shared } from "../look/shared.js";
import type { Preferences } from "../state/preferences.js";
import { StudioElement } from "./element.js";
import "./memory-bar.js";

const NEXT_THEME = { system: "light", light: "dark", dark: "system" } as const;
const THEME_ICONS = { system: half, light: sun, dark: moon } as const;

/** Model, memory, language, theme. */
export class TopBar extends StudioElement {
  static override styles = [
    shared,
    css`
      :host {
        display: flex;
        align-items: center;
        height: 48px;
        padding: 0 12px 0 16px;
        border-bottom: 1px solid var(--line);
        background: var(--panel);
      }
      .sign {
        display: flex;
        align-items: center;
        width: 240px;
        margin-right: 16px;
        font-size: 14px;
        font-weight: 600;
        letter-spacing: -0.01em;
      }
      h1 {
        margin: 0 0 0 8px;
        font: inherit;
      }
      .model {
        min-width: 80px;
        max-width: 200px;
        border-color: var(--line);
        font-weight: 500;
      }
      .low {
        display: flex;
        align-items: center;
        margin-left: 16px;
        white-space: nowrap;
        cursor: pointer;
      }
      .low input {
        width: 16px;
        height: 16px;
        margin: 0 8px 0 0;
        accent-color: var(--accent);
      }
      .space {
        flex: 1;
      }
      .button {
        margin-left: 4px;
      }
      sidecar-memory-bar {
        margin-right: 8px;
      }
      @media (max-width: 960px) {
        .sign {
          width: auto;
        }
        h1,
        .button span {
          display: none;
        }
        .low {
          margin-left: 12px;
        }
        sidecar-memory-bar {
          margin-right: 0;
        }
      }
    `,
  ];

  override render(): TemplateResult {
    const { preferences, methods } = this.state;
    return html`
      <div class="sign">${sign}<h1>${this.t.app}</h1></div>
      ${this.#model()}
      <label class="low" title=${this.t.model.lowVramHint}>
        <input
          type="checkbox"
          data-testid="low-vram"
          .checked=${preferences.lowVram !== "auto"}
          @change=${this.#lowVram}
        />${this.t.model.lowVram}
      </label>
      <span class="space"></span>
      <sidecar-memory-bar .studio=${this.studio}></sidecar-memory-bar>
      ${
        methods.has("enhance")
          ? html`<button class="button quiet" data-testid="enhance" aria-label=${this.t.enhance.open} @click=${this.#enhance}>
              ${wand}<span>${this.t.enhance.open}</span>
            </button>`
          : nothing
      }
      ${this.#switches()}
    `;
  }

  #model(): TemplateResult {
    const { model } = this.state;
    const families: Readonly<Record<string, string>> = this.t.model.families;
    return html`<select
      class="field model"
      data-testid="model"
      aria-label=${this.t.model.label}
      ?disabled=${model.stage === "starting"}
      @change=${this.#choose}
    >
      ${model.cards.map(
        ({ name, family }) => html`<option value=${name} ?selected=${name === model.name}>
          ${name}${families[family] && families[family] !== name ? ` · ${families[family]}` : ""}
        </option>`,
      )}
    </select>`;
  }

  #switches(): TemplateResult {
    const { theme } = this.state.preferences;
    const { locale, theme: words } = this.t;
    const said = `${words.label}: ${words[theme]}`;
    return html`
      <button
        class="button quiet"
        data-testid="language"
        aria-label=${`${locale.label}: ${locale.other}`}
        @click=${this.#language}
      >
        ${locale.other}
      </button>
      <button
        class="button quiet icon"
        data-testid="theme"
        aria-label=${said}
        title=${said}
        @click=${() => this.studio.prefer({ theme: NEXT_THEME[theme] })}
      >
        ${THEME_ICONS[theme]}
      </button>
    `;
  }

  readonly #choose = (event: Event): void => {
    void this.studio.chooseModel((event.target as HTMLSelectElement).value);
  };

  readonly #lowVram = (event: Event): void => {
    const { checked } = event.target as HTMLInputElement;
    void this.studio.prefer({ lowVram: checked ? "balanced" : "auto" });
  };

  readonly #language = (): void => {
    const locale: Preferences["locale"] = this.locale === "en" ? "zh-CN" : "en";
    void this.studio.prefer({ locale });
  };

  readonly #enhance = (): void => {
    this.dispatchEvent(new CustomEvent("enhance", { bubbles: true, composed: true }));
  };
}

customElements.define("sidecar-top-bar", TopBar);
