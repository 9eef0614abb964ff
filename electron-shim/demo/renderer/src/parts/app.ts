import { css, html, nothing, type TemplateResult } from "lit";
import { shared } from "../look/shared.js";
import { StudioElement } from "./element.js";
import "./composer.js";
import "./enhance-sheet.js";
import "./history-strip.js";
import "./stage.js";
import "./strength-panel.js";
import "./style-list.js";
import "./toasts.js";
import "./top-bar.js";

/** The window: bar on top, styles at the left, the picture in the middle, history at the right. */
export class App extends StudioElement {
  static override properties = { studio: { attribute: false }, enhance: { state: true } };
  static override styles = [
    shared,
    css`
      :host {
        display: grid;
        grid-template: 48px minmax(0, 1fr) / 272px minmax(0, 1fr) 113px;
        height: 100vh;
      }
      sidecar-top-bar {
        grid-column: 1 / -1;
      }
      @media (max-width: 960px) {
        :host {
          grid-template-columns: 224px minmax(0, 1fr) 113px;
        }
      }
      .controls {
        display: grid;
        grid-template-rows: minmax(0, 1fr) auto;
        min-height: 0;
        border-right: 1px solid var(--line);
        background: var(--panel);
      }
      main {
        position: relative;
        display: grid;
        grid-template-rows: minmax(0, 1fr) auto;
        min-width: 0;
        min-height: 0;
      }
      aside {
        display: grid;
        min-height: 0;
        border-left: 1px solid var(--line);
        background: var(--panel);
      }
    `,
  ];

  declare enhance: boolean;

  constructor() {
    super();
    this.enhance = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("keydown", this.#key);
    window.addEventListener("dragover", this.#drag);
    window.addEventListener("drop", this.#drop);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#dress);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("keydown", this.#key);
    window.removeEventListener("dragover", this.#drag);
    window.removeEventListener("drop", this.#drop);
    window.matchMedia("(prefers-color-scheme: dark)").removeEventListener("change", this.#dress);
  }

  override render(): TemplateResult {
    const { studio, t } = this;
    const { said } = this.state;
    return html`
      <sidecar-top-bar role="banner" .studio=${studio} @enhance=${this.#open}></sidecar-top-bar>
      <section class="controls" aria-label=${t.main.controls}>
        <sidecar-style-list .studio=${studio}></sidecar-style-list>
        <sidecar-strength-panel .studio=${studio}></sidecar-strength-panel>
      </section>
      <main>
        <sidecar-stage .studio=${studio} @enhance=${this.#open}></sidecar-stage>
        <sidecar-composer .studio=${studio}></sidecar-composer>
        ${this.enhance ? nothing : html`<sidecar-toasts .studio=${studio}></sidecar-toasts>`}
      </main>
      <aside>
        <sidecar-history-strip .studio=${studio}></sidecar-history-strip>
      </aside>
      ${
        this.#canEnhance
          ? html`<sidecar-enhance-sheet
              .studio=${studio}
              .open=${this.enhance}
              @closed=${this.#shut}
            ></sidecar-enhance-sheet>`
          : nothing
      }
      <span class="heard" role="status">${said.count > 0 ? t.said[said.what] : nothing}</span>
    `;
  }

  protected override updated(): void {
    this.#dress();
  }

  /** Language and theme are the document's. */
  readonly #dress = (): void => {
    const { theme, locale } = this.state.preferences;
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    const root = document.documentElement;
    root.lang = locale;
    root.dataset["theme"] = theme === "system" ? (dark ? "dark" : "light") : theme;
  };

  get #canEnhance(): boolean {
    return this.state.methods.has("enhance");
  }

  readonly #open = (): void => {
    this.enhance = true;
  };

  readonly #shut = (): void => {
    this.enhance = false;
  };

  /** A photo may be dropped anywhere; without this, the window would navigate to it. */
  readonly #drag = (event: DragEvent): void => {
    event.preventDefault();
    if (this.#canEnhance && event.dataTransfer?.types.includes("Files")) this.enhance = true;
  };

  readonly #drop = (event: DragEvent): void => {
    if (event.defaultPrevented) return; // the sheet took it
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (this.#canEnhance && file) void this.studio.enhancer.take(file);
  };

  readonly #key = (event: KeyboardEvent): void => {
    if (this.enhance) return; // the sheet has keys of its own
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void this.studio.generate();
    } else if (event.key === "Escape" && !event.defaultPrevented) {
      this.studio.cancel();
    }
  };
}

customElements.define("sidecar-app", App);
