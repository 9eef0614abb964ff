import type { LoraCard } from "../protocol.generated.js";

/** LoRAs of one group, which do not go together. */
export interface LoraConflict {
  readonly group: string;
  /** Two or more, in the order in which they were chosen. */
  readonly names: readonly string[];
}

/**
 * The conflicts among the chosen LoRAs, by the `conflict_group` on their cards: at once and without
 * asking the sidecar, for a toast before the switch. Names without a card conflict with nothing.
 */
export function checkConflict(
  cards: readonly Pick<LoraCard, "conflict_group" | "name">[],
  chosen: readonly string[],
): LoraConflict[] {
  const groupOf = new Map(cards.map((card) => [card.name, card.conflict_group ?? null]));
  const groups = new Map<string, string[]>();
  for (const name of new Set(chosen)) {
    const group = groupOf.get(name);
    if (group) groups.set(group, [...(groups.get(group) ?? []), name]);
  }
  return [...groups]
    .filter(([, names]) => names.length > 1)
    .map(([group, names]) => ({ group, names }));
}
