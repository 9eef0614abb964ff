import type { SidecarApi } from "../api.js";
import type { CallOptions } from "../call-options.js";
import type { ConflictReport } from "../protocol.generated.js";
import { type LoraChoice, withAlphas } from "./lora-choice.js";

/** Whether LoRAs go together, and strengths at which they do. */
export interface ConflictAdvice {
  /** Whether there is no conflict. */
  readonly fine: boolean;
  /** Groups of styles that are too strong together; empty when it is fine. */
  readonly conflicts: readonly ConflictReport[];
  /** The same LoRAs at strengths that go together. */
  readonly suggested: readonly { readonly name: string; readonly alpha: number }[];
}

/**
 * Ask whether LoRAs go together, before they are switched on: for a toast that offers the suggested
 * strengths. Fewer than two always do, and the sidecar is not asked.
 */
export async function checkConflict(
  api: Pick<SidecarApi, "checkConflicts">,
  chosen: readonly LoraChoice[],
  options?: CallOptions,
): Promise<ConflictAdvice> {
  const loras = withAlphas(chosen);
  if (loras.length < 2) return { fine: true, conflicts: [], suggested: loras };
  const { conflicts, suggested } = await api.checkConflicts({ loras }, options);
  return {
    fine: conflicts.length === 0,
    conflicts,
    suggested: suggested.map(({ name, alpha }) => ({ name, alpha })),
  };
}
