import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { cross, info, warning } from "../look/icons.js";
import { shared } from "../look/shared.js";
import type { Notice } from "../state/notices.js";
import { titleOf } from "../state/titles.js";
import { strength } from "../strings/format.js";
import { StudioElement } from "./element.js";

/** What happened to the sidecar, and what went wrong: sentences, and the buttons that follow. */
export class Toasts extends StudioElement {
  static override styles = [
    shared,
    css`
      :host {
        position: absolute;
        top: 12px;
        right: 12px;
        z-index: 4;
        width: 376px;
        max-width: calc(100% - 24px);
        pointer-events: none;
      }
      .banner,
      .toast {
        display: flex;
        margin-bottom: 8px;
        padding: 12px 8px 12px 12px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--raised);
        box-shadow: var(--shadow);
        pointer-events: auto;
        animation: drop 180ms ease-out;
      }
      .sign {
        padding-top: 2px;
        margin-right: 12px;
      }
      .toast.error .sign {
        color: var(--danger);
      }
      .toast.warning .sign {
        color: var(--warn);
      }
      .banner .sign {
        color: var(--accent);
      }
      .words {
        flex: 1;
        min-width: 0;
        overflow-wrap: break-word;
      }
      .message {
        font-weight: 500;
      }
      ul {
        margin: 4px 0 0;
        padding-left: 16px;
        color: var(--ink-2);
      }
      .suggested {
        display: flex;
        flex-wrap: wrap;
        margin-top: 8px;
      }
      .suggested span {
        max-width: 100%;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        margin-right: 8px;
        padding: 0 8px;
        border-radius: 4px;
        background: var(--accent-soft);
        line-height: 24px;
      }
      .actions {
        display: flex;
        flex-wrap: wrap;
        margin: 12px 0 0 -8px;
      }
      .actions .button {
        margin-left: 8px;
      }
      .close {
        width: 24px;
        height: 24px;
        margin: -2px 0 0 8px;
      }
      @keyframes drop {
        from {
          opacity: 0;
          transform: translateY(-8px);
        }
      }
      @media (prefers-reduced-motion: reduce) {
        .banner,
        .toast {
          animation: none;
        }
      }
    `,
  ];

  override render(): TemplateResult {
    return html`
      <div role="status">${this.#banner()}</div>
      ${repeat(
        this.state.notices,
        ({ id }) => id,
        (notice) => this.#toast(notice),
      )}
    `;
  }

  #banner(): TemplateResult | typeof nothing {
    const { banner } = this.state;
    if (!banner) return nothing;
    const { kind, details } = banner;
    return html`<div class="banner" data-testid="banner" data-kind=${kind}>
      <span class="sign">${info}</span>
      <div class="words">
        <p class="message">${this.t.banner[kind]}</p>
        ${kind === "gaveUp" ? this.#restart() : this.#points(details)}
      </div>
      ${this.#close(() => this.studio.life.dismiss())}
    </div>`;
  }

  #restart(): TemplateResult {
    return html`<div class="actions">
      <button class="button main" @click=${() => this.studio.restart()}>${this.t.remedy.restart}</button>
    </div>`;
  }

  #toast(notice: Notice): TemplateResult {
    const { id, tone, fault, points, suggested } = notice;
    const [said, todo] = fault ? this.t.fault[fault] : [notice.message, notice.hint];
    const detail = fault === "unknown" || fault === "start_failed" ? [notice.message] : [];
    return html`<div class="toast ${tone}" role="alert" data-testid="toast" data-tone=${tone}>
      <span class="sign">${warning}</span>
      <div class="words">
        <p class="message">${said}</p>
        <p class="soft">${todo}</p>
        ${this.#points([...detail, ...points])}
        ${suggested.length > 0 ? this.#suggested(suggested) : nothing}
        ${notice.actions.length > 0 ? this.#actions(notice) : nothing}
      </div>
      ${this.#close(() => this.studio.dismiss(id))}
    </div>`;
  }

  #points(points: readonly string[]): TemplateResult | typeof nothing {
    if (points.length === 0) return nothing;
    return html`<ul>${points.map((point) => html`<li>${point}</li>`)}</ul>`;
  }

  #suggested(stack: Notice["suggested"]): TemplateResult {
    const { cards } = this.state.styles;
    return html`<div class="suggested figures">
      ${stack.map(({ name, alpha }) => html`<span>${titleOf(cards, name)} ${strength(alpha, this.locale)}</span>`)}
    </div>`;
  }

  #actions({ id, actions }: Notice): TemplateResult {
    return html`<div class="actions">
      ${actions.map(
        ({ remedy, run, size }, at) => html`<button
          class="button ${at === 0 ? "main" : ""}"
          @click=${() => {
            this.studio.dismiss(id);
            run();
          }}
        >
          ${size ? this.t.remedy.sized(size) : this.t.remedy[remedy]}
        </button>`,
      )}
    </div>`;
  }

  #close(run: () => void): TemplateResult {
    return html`<button
      class="button quiet icon close"
      aria-label=${this.t.dismiss}
      title=${this.t.dismiss}
      @click=${run}
    >
      ${cross}
    </button>`;
  }
}

customElements.define("sidecar-toasts", Toasts);
