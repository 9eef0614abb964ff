import { css, html, nothing, type TemplateResult } from "lit";
import { chevron } from "../look/icons.js";
import { shared } from "../look/shared.js";
import { StudioElement } from "./element.js";
import "./advanced.js";

/** What to draw: the prompt, how it is really drawn, and the buttons. */
export class Composer extends StudioElement {
  static override properties = { studio: { attribute: false }, open: { state: true } };
  static override styles = [
    shared,
    css`
      :host {
        padding: 12px 16px 16px;
        border-top: 1px solid var(--line);
        background: var(--panel);
      }
      .prompt {
        position: relative;
        border: 1px solid var(--line-strong);
        border-radius: var(--radius);
        background: var(--raised);
        transition: border-color var(--quick);
      }
      .prompt:focus-within {
        border-color: var(--accent);
        box-shadow: 0 0 0 1px var(--accent);
      }
      textarea {
        display: block;
        width: 100%;
        height: 56px;
        padding: 8px 12px;
        border: 0;
        background: transparent;
        font-size: 15px;
        line-height: 20px;
        resize: none;
      }
      textarea:focus {
        outline: none;
      }
      textarea::placeholder {
        color: var(--ink-2);
        opacity: 1;
      }
      .merged {
        display: flex;
        height: 28px;
        padding: 0 12px;
        border-top: 1px solid var(--line);
        color: var(--ink-2);
        font-size: 12px;
        line-height: 27px;
      }
      .merged > span {
        flex: none;
        margin-right: 8px;
      }
      .merged p {
        overflow: hidden;
        white-space: nowrap;
        text-overflow: ellipsis;
        color: var(--ink);
      }
      .merged mark {
        background: none;
        color: var(--accent);
        font-weight: 500;
      }
      .row {
        display: flex;
        align-items: center;
        margin-top: 12px;
      }
      .row .space {
        flex: 1;
      }
      .row .button + .button,
      .row .keys + .button {
        margin-left: 8px;
      }
      .keys {
        font-size: 12px;
        margin-right: 4px;
      }
      .disclosure svg {
        transition: transform var(--quick);
      }
      .disclosure[aria-expanded="true"] svg {
        transform: rotate(180deg);
      }
      .big {
        min-width: 120px;
      }
      .wait {
        color: var(--ink-2);
      }
    `,
  ];

  declare open: boolean;

  constructor() {
    super();
    this.open = false;
  }

  override render(): TemplateResult {
    const t = this.t.prompt;
    const { draft } = this.state;
    return html`
      <div class="prompt">
        <textarea
          data-testid="prompt"
          aria-label=${t.label}
          placeholder=${t.placeholder}
          maxlength="8192"
          spellcheck="false"
          .value=${draft.prompt}
          @input=${this.#write}
        ></textarea>
        <div class="merged" data-testid="merged-prompt">
          <span>${t.merged}</span>
          ${this.#merged()}
        </div>
      </div>
      <sidecar-advanced id="more" ?hidden=${!this.open} .studio=${this.studio}></sidecar-advanced>
      <div class="row">
        <button
          class="button quiet disclosure"
          data-testid="advanced"
          aria-expanded=${this.open}
          @click=${() => {
            this.open = !this.open;
          }}
        >
          <span>${t.advanced}</span>${chevron}
        </button>
        <span class="space"></span>
        ${this.#buttons()}
      </div>
    `;
  }

  /** The prompt as it is drawn, with the words of the style set off. */
  #merged(): TemplateResult {
    const { merged, draft } = this.state;
    const { plain, added } = this.t.prompt;
    if (!merged || draft.prompt.trim() === "" || merged.prompt === draft.prompt) {
      return html`<p class="wait">${plain}</p>`;
    }
    const parts = marked(merged.prompt, merged.added);
    return html`<p title=${merged.prompt}>
      ${parts.map(([text, own]) => (own ? text : html`<mark title=${added}>${text}</mark>`))}
    </p>`;
  }

  #buttons(): TemplateResult {
    const t = this.t.prompt;
    const { run, draft, model, styles } = this.state;
    if (run) {
      return html`<button class="button big" data-testid="cancel" @click=${() => this.studio.cancel()}>
        ${t.cancel}
      </button>`;
    }
    const ready = draft.prompt.trim() !== "" && model.stage === "ready" && styles.canGenerate;
    return html`
      <span class="soft keys" aria-hidden="true">${ready ? t.shortcut : nothing}</span>
      <button
        class="button"
        data-testid="preview"
        ?disabled=${!ready}
        @click=${() => this.studio.styles.preview()}
      >
        ${t.preview}
      </button>
      <button
        class="button main big"
        data-testid="generate"
        aria-keyshortcuts="Control+Enter"
        ?disabled=${!ready}
        @click=${() => this.studio.generate()}
      >
        ${t.generate}
      </button>
    `;
  }

  readonly #write = (event: Event): void => {
    this.studio.prompts.write({ prompt: (event.target as HTMLTextAreaElement).value });
  };
}

/** The prompt cut into what the person wrote and what the style added. */
function marked(prompt: string, added: readonly string[]): [text: string, own: boolean][] {
  const parts: [string, boolean][] = [];
  let rest = prompt;
  for (const word of added) {
    const at = rest.indexOf(word);
    if (at < 0) continue;
    if (at > 0) parts.push([rest.slice(0, at), true]);
    parts.push([word, false]);
    rest = rest.slice(at + word.length);
  }
  if (rest !== "") parts.push([rest, true]);
  return parts;
}

customElements.define("sidecar-composer", Composer);
