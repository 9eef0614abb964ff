import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { cross, picture, save } from "../look/icons.js";
import { shared } from "../look/shared.js";
import type { Enhancing } from "../state/state.js";
import { duration, percent } from "../strings/format.js";
import { StudioElement } from "./element.js";
import { styles } from "./enhance-sheet.css.js";
import "./compare-view.js";
import "./progress-line.js";
import "./toasts.js";

const SCALES = [1, 2, 4] as const;

/** Make a photo better: drop it, wait, compare. */
export class EnhanceSheet extends StudioElement {
  static override properties = {
    studio: { attribute: false },
    open: { type: Boolean },
    over: { state: true },
  };
  static override styles = [shared, styles];

  declare open: boolean;
  declare over: boolean;

  constructor() {
    super();
    this.open = false;
    this.over = false;
  }

  override render(): TemplateResult {
    const t = this.t.enhance;
    const { enhancing } = this.state;
    return html`<dialog aria-labelledby="title" @close=${this.#closed}>
      <div class="head">
        <h2 id="title">${t.title}</h2>
        <p class="soft why" title=${enhancing?.why ?? ""}>${enhancing?.why ?? nothing}</p>
        <button class="button quiet icon" aria-label=${t.close} title=${t.close} @click=${this.#close}>
          ${cross}
        </button>
      </div>
      <div
        class="body"
        data-testid="enhance-drop"
        @dragover=${this.#drag}
        @dragleave=${this.#leave}
        @drop=${this.#drop}
      >
        ${enhancing && !enhancing.refusal ? this.#work(enhancing) : this.#zone(enhancing)}
      </div>
      <div class="foot">${this.#foot(enhancing)}</div>
      ${this.open ? html`<sidecar-toasts .studio=${this.studio}></sidecar-toasts>` : nothing}
      <input
        type="file"
        id="file"
        hidden
        accept="image/png,image/jpeg,image/webp"
        @change=${this.#chosen}
      />
    </dialog>`;
  }

  protected override updated(changed: PropertyValues): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (!changed.has("open") || !dialog) return;
    if (this.open && !dialog.open) dialog.showModal();
    else if (!this.open && dialog.open) dialog.close();
  }

  #zone(enhancing: Enhancing | null): TemplateResult {
    const t = this.t.enhance;
    return html`<div class="drop" ?data-over=${this.over}>
      ${picture}
      <p class="big">${t.drop}</p>
      <p class="soft">${t.or}</p>
      <button class="button" @click=${this.#pick}>${t.choose}</button>
      ${enhancing?.refusal ? html`<p class="no" role="alert">${t[enhancing.refusal]}</p>` : nothing}
    </div>`;
  }

  #work({ stage, before, after, percent: done, etaMs }: Enhancing): TemplateResult {
    const t = this.t.enhance;
    if (stage === "done" && before && after) {
      return html`<sidecar-compare-view
        .original=${before}
        .enhanced=${after}
        .label=${t.compare}
        .names=${[t.before, t.after]}
      ></sidecar-compare-view>`;
    }
    const said = stage === "reading" ? t.reading : t.working;
    const left = etaMs === null ? "" : ` · ${this.t.stage.left(duration(etaMs, this.locale))}`;
    return html`<div class="work">
      ${before ? html`<img src=${before} alt="" />` : nothing}
      <div class="how">
        <p><span>${said}</span><span class="soft figures">${percent(done, this.locale)}${left}</span></p>
        <sidecar-progress-line .label=${said} .value=${done}></sidecar-progress-line>
      </div>
    </div>`;
  }

  #foot(enhancing: Enhancing | null): TemplateResult {
    const t = this.t.enhance;
    if (!enhancing || enhancing.refusal) return this.#scales();
    if (enhancing.stage !== "done" || !enhancing.after) {
      return html`<span class="soft">${enhancing.name}</span>
        <button class="button" @click=${() => this.studio.enhancer.close()}>
          ${this.t.prompt.cancel}
        </button>`;
    }
    const { width, height, after, name } = enhancing;
    return html`${this.#scales()}
      <span class="soft figures about">${width} × ${height}</span>
      <span class="both">
        <button class="button" @click=${this.#pick}>${t.again}</button>
        <button class="button main" @click=${() => this.studio.pictures.saveEnhanced(after, name)}>
          ${save}<span>${t.save}</span>
        </button>
      </span>`;
  }

  #scales(): TemplateResult {
    const t = this.t.enhance;
    const { enhanceScale } = this.state;
    return html`<span class="soft what" id="scale">${t.scale}</span>
      <div class="scales" role="radiogroup" aria-labelledby="scale">
      ${SCALES.map(
        (scale) => html`<label>
          <input
            type="radio"
            name="scale"
            class="heard"
            .checked=${scale === enhanceScale}
            @change=${() => this.studio.enhancer.choose(scale)}
          /><span>${scale === 1 ? t.same : `${scale} ×`}</span>
        </label>`,
      )}
      </div>`;
  }

  #take(file: File | undefined): void {
    if (file) void this.studio.enhancer.take(file);
  }

  readonly #pick = (): void => this.renderRoot.querySelector<HTMLInputElement>("#file")?.click();

  readonly #chosen = (event: Event): void => {
    const field = event.target as HTMLInputElement;
    this.#take(field.files?.[0]);
    field.value = "";
  };

  readonly #drag = (event: DragEvent): void => {
    event.preventDefault();
    this.over = true;
  };

  readonly #leave = (): void => {
    this.over = false;
  };

  readonly #drop = (event: DragEvent): void => {
    event.preventDefault();
    this.over = false;
    this.#take(event.dataTransfer?.files[0]);
  };

  readonly #close = (): void => this.renderRoot.querySelector("dialog")?.close();

  readonly #closed = (): void => {
    this.studio.enhancer.close();
    this.dispatchEvent(new CustomEvent("closed"));
  };
}

customElements.define("sidecar-enhance-sheet", EnhanceSheet);
