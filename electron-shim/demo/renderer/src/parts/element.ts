import { type CSSResultGroup, LitElement } from "lit";
import { shared } from "../look/shared.js";
import type { StudioState } from "../state/state.js";
import type { Studio } from "../state/studio.js";
import { STRINGS, type Strings } from "../strings/index.js";

/** A part of the page: shows the store it is given, anew after each change. */
export abstract class StudioElement extends LitElement {
  static override properties = { studio: { attribute: false } };
  static override styles: CSSResultGroup = shared;

  declare studio: Studio;
  #off: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#off = this.studio.subscribe(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#off?.();
  }

  protected get state(): StudioState {
    return this.studio.getSnapshot();
  }

  /** Words in the language that is chosen. */
  protected get t(): Strings {
    return STRINGS[this.locale];
  }

  protected get locale(): StudioState["preferences"]["locale"] {
    return this.state.preferences.locale;
  }
}
