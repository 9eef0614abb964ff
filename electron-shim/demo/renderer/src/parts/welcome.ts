import { css, html, nothing, type TemplateResult } from "lit";
import { shared } from "../look/shared.js";
import { vars } from "../look/vars.js";
import { percent } from "../strings/format.js";
import { StudioElement } from "./element.js";
import "./progress-line.js";

/** The stage before there is a picture: the model on its way, then an invitation. */
export class Welcome extends StudioElement {
  static override styles = [
    shared,
    css`
      :host {
        position: absolute;
        top: 0;
        right: 0;
        bottom: 0;
        left: 0;
        display: flex;
        align-items: center;
        justify-content: center;
        padding: 32px;
      }
      .words {
        width: 480px;
        max-width: 100%;
        text-align: center;
      }
      .prints {
        display: flex;
        justify-content: center;
        height: 128px;
        margin-bottom: 32px;
      }
      .prints img {
        width: 112px;
        height: 112px;
        margin: 0 -12px;
        border: 6px solid #fff;
        border-radius: 3px;
        box-shadow: var(--picture-shadow);
        transform: rotate(var(--turn)) translateY(var(--down));
      }
      @media (max-height: 680px) {
        .prints {
          display: none;
        }
      }
      h2 {
        margin: 0 0 8px;
        font-size: 28px;
        line-height: 36px;
        font-weight: 300;
        letter-spacing: -0.01em;
      }
      .ideas {
        display: flex;
        flex-wrap: wrap;
        justify-content: center;
        margin: 16px -4px 0;
      }
      .ideas button {
        height: 32px;
        margin: 4px;
        padding: 0 12px;
        border: 1px solid var(--line);
        border-radius: 16px;
        background: var(--panel);
        cursor: pointer;
        transition: border-color var(--quick);
      }
      .ideas button:hover {
        border-color: var(--accent);
      }
      .load {
        width: 280px;
        margin: 0 auto;
      }
      .load p {
        display: flex;
        justify-content: space-between;
        margin-bottom: 8px;
      }
      .button {
        margin-top: 16px;
      }
    `,
  ];

  override render(): TemplateResult {
    const { stage } = this.state.model;
    if (stage === "failed") return this.#failed();
    return stage === "ready" || this.state.run ? this.#invitation() : this.#loading();
  }

  #loading(): TemplateResult {
    const t = this.t.model;
    const { name, percent: done } = this.state.model;
    return html`<div class="load">
      <p>
        <span>${name === null ? t.starting : t.loadingName(name)}</span>
        <span class="figures soft">${done === null ? nothing : percent(done, this.locale)}</span>
      </p>
      <sidecar-progress-line .label=${t.loading} .value=${done}></sidecar-progress-line>
    </div>`;
  }

  #failed(): TemplateResult {
    const t = this.t.model;
    const { name } = this.state.model;
    return html`<div class="words">
      <h2>${t.failed}</h2>
      <p class="soft">${t.failedHint}</p>
      ${
        name === null
          ? nothing
          : html`<button class="button" @click=${() => this.studio.models.load(name)}>${t.load}</button>`
      }
    </div>`;
  }

  #invitation(): TemplateResult {
    const t = this.t.stage;
    return html`<div class="words">
      ${this.#prints()}
      <h2>${t.empty}</h2>
      <p class="soft">${t.emptyHint}</p>
      <div class="ideas">
        ${t.ideas.map((idea) => html`<button @click=${() => this.#try(idea)}>${idea}</button>`)}
      </div>
    </div>`;
  }

  /** The pictures of the styles, fanned out like prints on a table. */
  #prints(): TemplateResult | typeof nothing {
    const urls = this.state.styles.cards.flatMap(({ preview_url }) => preview_url ?? []);
    const prints = urls.slice(0, 4);
    if (prints.length === 0) return nothing;
    const middle = (prints.length - 1) / 2;
    return html`<div class="prints" aria-hidden="true">
      ${prints.map((url, at) => {
        const off = at - middle;
        const turn = { "--turn": `${off * 5}deg`, "--down": `${off * off * 3}px` };
        return html`<img src=${url} alt="" draggable="false" ${vars(turn)} />`;
      })}
    </div>`;
  }

  #try(prompt: string): void {
    this.studio.prompts.write({ prompt });
    void this.studio.generate();
  }
}

customElements.define("sidecar-welcome", Welcome);
