import type { LoraCard } from "@lora-sidecar/electron/renderer";

/** How a style is called: by its title, or by its file where another file has the same title. */
export function titleOf(cards: readonly LoraCard[], name: string): string {
  const card = cards.find((one) => one.name === name);
  if (!card) return name;
  const title = card.title.toLowerCase();
  const shared = cards.some((other) => other !== card && other.title.toLowerCase() === title);
  return shared ? name : card.title;
}
