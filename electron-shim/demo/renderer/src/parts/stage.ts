import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { shared } from "../look/shared.js";
import { vars } from "../look/vars.js";
import type { Look, Run } from "../state/state.js";
import { StudioElement } from "./element.js";
import { styles } from "./stage.css.js";
import "./caption.js";
import "./sharp-picture.js";
import "./welcome.js";

/** Space around the picture, and how far a small one is drawn up, at most. */
const MARGIN = 32;
const LARGEST = 5;

interface Under {
  readonly src: string;
  /** The URL of the picture that it lies under. */
  readonly of: string | null;
}

/** The picture: a preview, the first looks at one in work, or a finished one. */
export class Stage extends StudioElement {
  static override styles = [shared, styles];

  /** Of the mat, in CSS pixels. */
  #room = { width: 0, height: 0 };
  /** Stays under the finished picture until that one has faded in. */
  #under: Under | null = null;
  /** The finished picture that can be shown, and the one that has faded in, by their URLs. */
  #decoded = "";
  #arrivedUrl = "";
  readonly #observer = new ResizeObserver(([entry]) => {
    if (!entry) return;
    const { width, height } = entry.contentRect;
    this.#room = { width, height };
    this.requestUpdate();
  });

  protected override firstUpdated(_changed: PropertyValues): void {
    const mat = this.renderRoot.querySelector(".mat");
    if (!mat) return;
    this.#observer.observe(mat);
    this.studio.styles.observe(mat);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer.disconnect();
  }

  override render(): TemplateResult {
    const { look, run } = this.state;
    this.#under = underOf(this.#under, run, look);
    const shown = run ?? look;
    return html`
      <div class="mat">
        ${
          shown && (look || run?.thumbnail)
            ? this.#frame(shown)
            : html`<sidecar-welcome .studio=${this.studio}></sidecar-welcome>`
        }
        <slot></slot>
      </div>
      <sidecar-caption .studio=${this.studio}></sidecar-caption>
    `;
  }

  #frame(shown: { width: number; height: number }): TemplateResult {
    const { look, run } = this.state;
    const [width, height] = this.#fitting(shown);
    const early = look && look.url !== this.#arrivedUrl ? look.early : null;
    const under = this.#under?.src ?? early;
    return html`<div
      class="frame"
      ${vars({ "--across": `${width}px`, "--up": `${height}px` })}
    >
      ${
        under
          ? html`<sidecar-sharp-picture
              role="img"
              data-testid="thumbnail"
              aria-label=${this.t.stage.firstLook}
              .src=${under}
              .width=${width}
              .height=${height}
            ></sidecar-sharp-picture>`
          : nothing
      }
      ${look && !run?.thumbnail ? this.#picture(look, run !== null) : nothing}
      ${this.#chip()}
    </div>`;
  }

  /** A preview replaces the one before in place; a finished picture is a new one, and fades in. */
  #picture(look: Look, waiting: boolean): TemplateResult {
    const { stage } = this.t;
    const { prompt, own_prompt } = look.parameters;
    const words = own_prompt ?? prompt;
    if (look.kind === "preview") {
      return html`<img
        class=${waiting ? "waiting" : ""}
        data-testid="preview-image"
        src=${look.url}
        alt=${stage.previewOf(words)}
      />`;
    }
    return html`${keyed(
      look.historyId,
      html`<img
        class=${this.#classOf(look, waiting)}
        data-testid="result-image"
        src=${look.url}
        alt=${stage.picture(words)}
        @load=${() => this.#loaded(look.url)}
        @animationend=${() => this.#arrived(look.url)}
      />`,
    )}`;
  }

  #chip(): TemplateResult | typeof nothing {
    const { look, run, previewing } = this.state;
    const isPreview = look?.kind === "preview";
    if (run || (!isPreview && !previewing)) return nothing;
    const { preview, previewComing } = this.t.stage;
    return html`<span class="chip" ?data-busy=${previewing}>
      ${isPreview ? preview : previewComing}
    </span>`;
  }

  #classOf({ url }: Look, waiting: boolean): string {
    if (waiting) return "waiting";
    if (url === this.#arrivedUrl) return "";
    return url === this.#decoded ? "arriving" : "coming";
  }

  #loaded(url: string): void {
    this.#decoded = url;
    if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) this.#arrived(url);
    this.requestUpdate();
  }

  #arrived(url: string): void {
    this.#under = null;
    this.#arrivedUrl = url;
    this.requestUpdate();
  }

  /** As large as there is room for, whole, and not blown up beyond measure. */
  #fitting({ width, height }: { width: number; height: number }): [number, number] {
    const across = Math.max(64, this.#room.width - 2 * MARGIN) / width;
    const up = Math.max(64, this.#room.height - 2 * MARGIN) / height;
    const scale = Math.min(across, up, LARGEST);
    return [Math.round(width * scale), Math.round(height * scale)];
  }
}

/** The last first look while its picture is in work (`of` null), then under that picture alone. */
function underOf(former: Under | null, run: Run | null, look: Look | null): Under | null {
  if (run) return run.thumbnail ? { src: run.thumbnail, of: null } : null;
  if (!former || look?.kind !== "result") return null;
  return former.of === null || former.of === look.url ? { ...former, of: look.url } : null;
}

customElements.define("sidecar-stage", Stage);
