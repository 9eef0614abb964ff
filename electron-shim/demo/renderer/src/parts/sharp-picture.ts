import { css, html, LitElement, type PropertyValues, type TemplateResult } from "lit";
import { type Paint, painter } from "../look/sharpen.js";

/** A small picture, drawn large and sharp while the real one is on its way. */
export class SharpPicture extends LitElement {
  static override properties = { src: {}, width: { type: Number }, height: { type: Number } };
  static override styles = css`
    :host,
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;

  /** A data URL. */
  declare src: string;
  /** CSS pixels. */
  declare width: number;
  declare height: number;
  #paint: Paint | undefined;

  override render(): TemplateResult {
    const dense = Math.min(2, window.devicePixelRatio || 1);
    return html`<canvas
      width=${Math.max(1, Math.round(this.width * dense))}
      height=${Math.max(1, Math.round(this.height * dense))}
    ></canvas>`;
  }

  protected override updated(_changed: PropertyValues): void {
    const { src } = this;
    if (!src) return;
    const picture = new Image();
    picture.onload = () => {
      if (src === this.src) this.#show(picture);
    };
    picture.src = src;
  }

  #show(picture: HTMLImageElement): void {
    const canvas = this.renderRoot.querySelector("canvas");
    if (!canvas) return;
    this.#paint ??= painter(canvas);
    this.#paint(picture);
  }
}

customElements.define("sidecar-sharp-picture", SharpPicture);
