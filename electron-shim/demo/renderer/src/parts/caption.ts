import { html, nothing, type TemplateResult } from "lit";
import { again, bin, check, copy, pin, pinned, save, wand } from "../look/icons.js";
import { shared } from "../look/shared.js";
import { SURE_MS } from "../look/sure.js";
import { isDrawn } from "../state/prompts.js";
import type { Look, Run } from "../state/state.js";
import { titleOf } from "../state/titles.js";
import { duration, percent, strength } from "../strings/format.js";
import { styles } from "./caption.css.js";
import { StudioElement } from "./element.js";
import "./progress-line.js";

/** Under the picture: what it is and what can be done with it, or how far it is. */
export class Caption extends StudioElement {
  static override properties = {
    studio: { attribute: false },
    sure: { state: true },
    copied: { state: true },
  };
  static override styles = [shared, styles];

  /** The picture that is asked about: "delete for good?" */
  declare sure: string | null;
  declare copied: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.sure = null;
    this.copied = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  override render(): TemplateResult {
    const { run, look } = this.state;
    this.toggleAttribute("empty", !run && !look);
    return html`<div class="row">${run ? this.#progress(run) : this.#idle(look)}</div>`;
  }

  /** On the empty stage, the welcome tells how far the model is. */
  #idle(look: Look | null): TemplateResult | typeof nothing {
    if (!look) return nothing;
    return this.state.model.stage === "loading" ? this.#loading() : this.#look(look);
  }

  #loading(): TemplateResult {
    const t = this.t.model;
    const { name, percent: done } = this.state.model;
    return html`
      <span>${t.loadingName(name ?? "")}</span>
      <sidecar-progress-line .label=${t.loading} .value=${done}></sidecar-progress-line>
      <span class="percent figures">${done === null ? nothing : percent(done, this.locale)}</span>
    `;
  }

  #progress({ percent: done, etaMs, waiting }: Run): TemplateResult {
    const t = this.t.stage;
    const left = etaMs === null || done >= 99 ? "" : t.left(duration(etaMs, this.locale));
    return html`
      <span>${waiting ? t.waiting : t.drawing}</span>
      <sidecar-progress-line .label=${t.drawing} .value=${done}></sidecar-progress-line>
      <span class="percent figures">${percent(done, this.locale)}</span>
      <span class="left figures">${left}</span>
    `;
  }

  #look(look: Look): TemplateResult {
    return html`<div class="facts figures">${this.#facts(look)}</div>
      ${look.historyId === null ? this.#ofPreview(look) : this.#ofResult(look, look.historyId)}`;
  }

  #facts({ parameters }: Look): TemplateResult {
    if (!isDrawn(parameters)) return this.#factsOfEnhanced(parameters);
    const { cards } = this.state.styles;
    const { loras, width, height, seed } = parameters;
    const said = (alpha: number): string => strength(alpha, this.locale);
    return html`${
      loras.length === 0
        ? html`<span><b>${this.t.styles.none}</b></span>`
        : loras.map(
            ({ name, alpha }) => html`<span><b>${titleOf(cards, name)}</b> ${said(alpha)}</span>`,
          )
    }<span>${width} × ${height}</span><span>${this.t.stage.seed(String(seed))}</span>`;
  }

  #factsOfEnhanced({ width, height }: Look["parameters"]): TemplateResult {
    return html`<span><b>${this.t.enhance.done}</b></span><span>${width} × ${height}</span>`;
  }

  #ofPreview({ parameters: { seed } }: Look): TemplateResult {
    return html`<button class="button" @click=${() => this.studio.generate(seed)}>
      ${this.t.stage.finish}
    </button>`;
  }

  #ofResult(look: Look, id: string): TemplateResult {
    const t = this.t.stage;
    const kept = this.state.history.entries.find((entry) => entry.id === id)?.pinned ?? false;
    return html`
      <button class="button" data-testid="another" @click=${() => this.studio.another(id)}>
        ${again}<span>${t.another}</span>
      </button>
      <button
        class="button quiet icon ${this.copied ? "done" : ""}"
        data-testid="copy"
        aria-label=${t.copy}
        title=${t.copy}
        @click=${() => this.#copy(look)}
      >
        ${this.copied ? check : copy}
      </button>
      ${
        this.state.methods.has("enhance")
          ? html`<button
              class="button quiet icon"
              data-testid="enlarge"
              aria-label=${this.t.enhance.enlarge}
              title=${this.t.enhance.enlarge}
              @click=${() => this.#enlarge(look)}
            >
              ${wand}
            </button>`
          : nothing
      }
      <button
        class="button quiet icon"
        aria-label=${t.save}
        title=${t.save}
        @click=${() => this.studio.pictures.save(look)}
      >
        ${save}
      </button>
      <button
        class="button quiet icon ${kept ? "done" : ""}"
        aria-label=${t.keep}
        aria-pressed=${kept}
        title=${kept ? t.kept : t.keep}
        @click=${() => this.studio.pictures.pin(id, !kept)}
      >
        ${kept ? pinned : pin}
      </button>
      ${
        this.sure === id
          ? html`<button class="button danger" data-testid="delete" @click=${() => this.#remove(id)}>
              ${t.removeSure}
            </button>`
          : html`<button
              class="button quiet icon"
              data-testid="delete"
              aria-label=${t.remove}
              title=${t.remove}
              @click=${() => this.#ask(id)}
            >
              ${bin}
            </button>`
      }
    `;
  }

  #enlarge(look: Look): void {
    this.dispatchEvent(new CustomEvent("enhance", { bubbles: true, composed: true }));
    void this.studio.enhancer.takeLook(look);
  }

  async #copy(look: Look): Promise<void> {
    this.copied = await this.studio.pictures.copy(look);
    this.#later();
  }

  #ask(id: string): void {
    this.sure = id;
    this.#later();
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>(".danger")?.focus(),
    );
  }

  #remove(id: string): void {
    this.sure = null;
    void this.studio.pictures.remove(id);
  }

  /** Back to how it was. */
  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.copied = false;
      this.sure = null;
    }, SURE_MS);
  }
}

customElements.define("sidecar-caption", Caption);
