import type { Restored } from "../events/sidecar-events.js";
import type { Connection } from "./connection.js";
import type { SidecarState } from "./state.js";

/**
 * Ask a new process for the model and the LoRA stack of the old one. Both requests are on their way
 * when this returns. Resolves when they are answered; undefined when that process is gone too.
 */
export async function putBack(
  connection: Connection,
  { model, loras }: SidecarState,
  timeoutMs: number,
): Promise<Restored | undefined> {
  const steps: Promise<unknown>[] = [];
  if (model) steps.push(connection.request("load_model", model, {}, timeoutMs));
  if (loras.length > 0) steps.push(connection.request("switch_lora", { loras }, {}, timeoutMs));
  const answers = await Promise.allSettled(steps);
  if (connection.closed) return undefined;
  const failures = answers.flatMap((answer) =>
    answer.status === "rejected" ? [String((answer.reason as Error).message)] : [],
  );
  return { model: model?.model ?? null, loras, failures };
}
