import { css, html, type TemplateResult } from "lit";
import { shared } from "../look/shared.js";
import { eights } from "../state/sizes.js";
import { StudioElement } from "./element.js";

const SHAPES: readonly (readonly [number, number])[] = [
  [1, 1],
  [3, 2],
  [2, 3],
  [16, 9],
];

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
    const card = this.studio.models.card;
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
          ${this.#sizes().map(
            ([width, height], at) => html`<option
              value=${at === 0 ? "" : `${width}x${height}`}
              ?selected=${draft.width === width && draft.height === height}
            >
              ${at === 0 ? t.sizeAuto(width, height) : `${width} × ${height}`}
            </option>`,
          )}
        </select>
      </label>
    </div>`;
  }

  /** The model's own size first, then other shapes of about as many pixels, and the draft's own. */
  #sizes(): (readonly [number, number])[] {
    const { width: own, height } = this.studio.models.card ?? { width: 512, height: 512 };
    const { draft } = this.state;
    const side = Math.sqrt(own * height);
    const shapes = SHAPES.map(([across, up]) => {
      const unit = side / Math.sqrt(across * up);
      return [eights(unit * across), eights(unit * up)] as const;
    });
    const given =
      draft.width !== null && draft.height !== null ? [[draft.width, draft.height] as const] : [];
    const all = [[own, height] as const, ...shapes, [own / 2, height / 2] as const, ...given];
    const seen = new Set<string>();
    return all.filter(([w, h], at) => {
      const key = at === 0 ? "own" : `${w}x${h}`;
      const fresh = !seen.has(key) && w >= 64 && h >= 64 && (at === 0 || w !== own || h !== height);
      seen.add(key);
      return fresh;
    });
  }

  readonly #size = (event: Event): void => {
    const [width, height] = (event.target as HTMLSelectElement).value.split("x").map(Number);
    this.studio.prompts.write(width && height ? { width, height } : { width: null, height: null });
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
