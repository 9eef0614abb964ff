import { css, html, type TemplateResult } from "lit";
import { shared } from "../look/shared.js";
import { isSame, type Size, sizeOf, sizesFor } from "../state/sizes.js";
import { StudioElement } from "./element.js";

/** What most people leave alone: what to keep out, seed, steps, size. */
export class Advanced extends StudioElement {
  static override styles = [
    shared,
    css`
      .fields {
        display: grid;
        grid-template-columns: 1fr 120px 96px 168px;
        grid-gap: 12px;
        margin-top: 12px;
      }
      label > span {
        display: block;
        color: var(--ink-2);
        font-size: 12px;
      }
      .field {
        width: 100%;
      }
      select.field {
        padding-right: 4px;
      }
    `,
  ];

  override render(): TemplateResult {
    const t = this.t.prompt;
    const { draft } = this.state;
    const { card } = this.studio.models;
    const chosen = sizeOf(draft, card);
    return html`<div class="fields">
      <label>
        <span>${t.negative}</span>
        <input
          class="field"
          placeholder=${t.negativePlaceholder}
          maxlength="8192"
          .value=${draft.negative}
          @input=${(event: Event) => this.studio.prompts.write({ negative: text(event) })}
        />
      </label>
      <label>
        <span>${t.seed}</span>
        <input
          class="field figures"
          type="number"
          min="0"
          max="9007199254740991"
          step="1"
          placeholder=${t.seedAuto}
          .value=${draft.seed === null ? "" : String(draft.seed)}
          @change=${(event: Event) => this.studio.prompts.write({ seed: whole(event, 0, 2 ** 53 - 1) })}
        />
      </label>
      <label>
        <span>${t.steps}</span>
        <input
          class="field figures"
          type="number"
          min="1"
          max="150"
          step="1"
          placeholder=${card ? String(card.steps) : ""}
          .value=${draft.steps === null ? "" : String(draft.steps)}
          @change=${(event: Event) => this.studio.prompts.write({ steps: whole(event, 1, 150) })}
        />
      </label>
      <label>
        <span>${t.size}</span>
        <select class="field figures" @change=${this.#size}>
          ${this.#sizes.map(
            (size, at) => html`<option value=${at} ?selected=${isSame(size, chosen)}>
              ${this.#said(size, at === 0)}
            </option>`,
          )}
        </select>
      </label>
    </div>`;
  }

  get #sizes(): Size[] {
    const { draft, methods } = this.state;
    return sizesFor(draft, this.studio.models.card, methods.has("upscale"));
  }

  #said({ width, height, upscale }: Size, own: boolean): string {
    const { sizeAuto, sizeEnlarged } = this.t.prompt;
    if (own) return sizeAuto(width, height);
    return upscale && upscale > 1 ? sizeEnlarged(width, height) : `${width} × ${height}`;
  }

  readonly #size = (event: Event): void => {
    const at = (event.target as HTMLSelectElement).selectedIndex;
    const { width, height, upscale } = this.#sizes[at] ?? {};
    const own = at === 0 || !width || !height;
    this.studio.prompts.write(
      own
        ? { width: null, height: null, upscale: null }
        : { width, height, upscale: upscale ?? null },
    );
  };
}

function text(event: Event): string {
  return (event.target as HTMLInputElement).value;
}

/** A whole number within bounds; null for an empty field. */
function whole(event: Event, low: number, high: number): number | null {
  const { value, valueAsNumber } = event.target as HTMLInputElement;
  if (value === "" || Number.isNaN(valueAsNumber)) return null;
  return Math.min(high, Math.max(low, Math.round(valueAsNumber)));
}

customElements.define("sidecar-advanced", Advanced);
