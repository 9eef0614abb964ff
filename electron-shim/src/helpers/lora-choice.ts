const DEFAULT_ALPHA = 0.7;

/** One LoRA and its strength. */
export interface LoraChoice {
  readonly name: string;
  /** Default 0.7. */
  readonly alpha?: number | undefined;
}

/** With the default where no strength is given. */
export function withAlphas(
  chosen: readonly LoraChoice[],
): { readonly name: string; readonly alpha: number }[] {
  return chosen.map(({ name, alpha = DEFAULT_ALPHA }) => ({ name, alpha }));
}
