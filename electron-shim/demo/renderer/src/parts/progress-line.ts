import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { vars } from "../look/vars.js";

/** A thin bar; without a value it says only that something is going on. */
export class ProgressLine extends LitElement {
  static override properties = { label: {}, value: { type: Number } };
  static override styles = css`
    :host {
      display: block;
    }
    .track {
      height: 4px;
      border-radius: 2px;
      background: var(--line);
      overflow: hidden;
    }
    .bar {
      width: 100%;
      height: 100%;
      border-radius: 2px;
      background: var(--accent);
      transform: translateX(calc(-100% + 100% * var(--done)));
      transition: transform 160ms linear;
    }
    [data-unknown] .bar {
      width: 32%;
      animation: pass 1400ms ease-in-out infinite;
    }
    @keyframes pass {
      from {
        transform: translateX(-100%);
      }
      to {
        transform: translateX(320%);
      }
    }
    @media (prefers-reduced-motion: reduce) {
      .bar {
        transition: none;
      }
      [data-unknown] .bar {
        width: 100%;
        opacity: 0.4;
        animation: none;
        transform: none;
      }
    }
  `;

  declare label: string;
  /** 0 to 100; null: not known. */
  declare value: number | null;

  override render(): TemplateResult {
    const known = this.value !== null && this.value !== undefined;
    const value = known ? Math.round(this.value ?? 0) : undefined;
    return html`<div
      class="track"
      role="progressbar"
      data-testid="progress"
      aria-label=${this.label}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${value ?? nothing}
      ?data-unknown=${!known}
    >
      <div class="bar" ${vars({ "--done": String((this.value ?? 0) / 100) })}></div>
    </div>`;
  }
}

customElements.define("sidecar-progress-line", ProgressLine);
