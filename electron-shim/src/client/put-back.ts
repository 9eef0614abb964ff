import type { Restored } from "../events/sidecar-events.js";
import type { Connection } from "./connection.js";
import type { SidecarState } from "./state.js";

/**
 * Ask a new process for the model and the LoRA stack of the old one. The requests are on their way
 * when this returns. Resolves when they are answered; undefined when that process is gone too.
 */
export async function putBack(
  connection: Connection,
  state: SidecarState,
  timeoutMs: number,
): Promise<Restored | undefined> {
  const { model, loras, allowSuspicious } = state;
  const steps: Promise<unknown>[] = [];
  const ask = (method: string, params: object): void => {
    steps.push(connection.request(method, params, {}, timeoutMs));
  };
  if (model) ask("load_model", model);
  if (loras.length > 0) {
    const consent = { allow_suspicious: allowSuspicious, allow_conflict: true }; // as it was given
    ask("switch_lora", { loras, ...consent });
  }
  const answers = await Promise.allSettled(steps);
  if (connection.closed) return undefined;
  const failures = answers.flatMap((answer) =>
    answer.status === "rejected" ? [String((answer.reason as Error).message)] : [],
  );
  return { model: model?.model ?? null, loras, failures };
}
