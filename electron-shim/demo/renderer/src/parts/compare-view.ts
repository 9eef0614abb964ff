import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { shared } from "../look/shared.js";
import { vars } from "../look/vars.js";

/** Two pictures of the same thing, one above the other, and a line to draw between them. */
export class CompareView extends LitElement {
  static override properties = {
    original: {},
    enhanced: {},
    label: {},
    names: { attribute: false },
    at: { state: true },
  };
  static override styles = [
    shared,
    css`
      :host {
        position: relative;
        overflow: hidden;
        border-radius: 4px;
        background: var(--stage);
      }
      img {
        position: absolute;
        top: 0;
        left: 0;
        width: 100%;
        height: 100%;
        object-fit: contain;
      }
      .before {
        clip-path: inset(0 calc(100% - 100% * var(--at)) 0 0);
      }
      .line {
        position: absolute;
        top: 0;
        bottom: 0;
        left: calc(100% * var(--at));
        width: 2px;
        margin-left: -1px;
        background: #fff;
        box-shadow: 0 0 0 1px rgba(0, 0, 0, 0.3);
      }
      .line::after {
        content: "";
        position: absolute;
        top: 50%;
        left: -11px;
        width: 24px;
        height: 24px;
        margin-top: -12px;
        border-radius: 12px;
        background: #fff;
        box-shadow: 0 1px 4px rgba(0, 0, 0, 0.4);
      }
      .name {
        position: absolute;
        bottom: 12px;
        padding: 0 8px;
        border-radius: 4px;
        background: rgba(20, 20, 18, 0.78);
        color: #fff;
        font-size: 12px;
        line-height: 24px;
      }
      .name.one {
        left: 12px;
      }
      .name.two {
        right: 12px;
      }
      input {
        position: absolute;
        top: 0;
        left: 0;
        width: 100%;
        height: 100%;
        opacity: 0;
        cursor: ew-resize;
      }
      input:focus-visible + .ring {
        position: absolute;
        top: 0;
        right: 0;
        bottom: 0;
        left: 0;
        border: 2px solid var(--accent);
        border-radius: 4px;
        pointer-events: none;
      }
    `,
  ];

  declare original: string;
  declare enhanced: string;
  declare label: string;
  declare names: readonly [before: string, after: string];
  /** Where the line stands, 0 to 1. */
  declare at: number;

  constructor() {
    super();
    this.at = 0.5;
    this.names = ["", ""];
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("enhanced")) this.at = 0.5;
  }

  override render(): TemplateResult {
    const [one, two] = this.names;
    const at = { "--at": String(this.at) };
    return html`
      <img src=${this.enhanced} alt=${two} draggable="false" />
      <img class="before" src=${this.original} alt=${one} draggable="false" ${vars(at)} />
      <span class="name one" aria-hidden="true">${one}</span>
      <span class="name two" aria-hidden="true">${two}</span>
      <span class="line" ${vars(at)}></span>
      <input
        type="range"
        data-testid="compare"
        min="0"
        max="100"
        step="1"
        aria-label=${this.label}
        .value=${String(Math.round(this.at * 100))}
        @input=${(event: Event) => {
          this.at = (event.target as HTMLInputElement).valueAsNumber / 100;
        }}
      /><span class="ring"></span>
    `;
  }
}

customElements.define("sidecar-compare-view", CompareView);
