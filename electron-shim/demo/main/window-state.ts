import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A rectangle on the screens, in device-independent pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where a window was left. */
export interface WindowState {
  readonly bounds: Area;
  readonly maximized: boolean;
}

/** Where a window opens. Without `x` and `y`: in the middle of the screen. */
export interface OpeningState {
  readonly bounds: Pick<Area, "width" | "height"> & Partial<Area>;
  readonly maximized: boolean;
}

const FIRST: OpeningState = { bounds: { width: 1180, height: 820 }, maximized: false };
const GRIP = 80; // so much of the top edge must be reachable to move it

/** What was written; undefined when there is nothing, or nothing that makes sense. */
export function readWindowState(file: string): WindowState | undefined {
  try {
    const state = JSON.parse(readFileSync(file, "utf8")) as Partial<WindowState> | null;
    const { x, y, width, height } = state?.bounds ?? {};
    if (![x, y, width, height].every(Number.isInteger)) return undefined;
    return { bounds: state?.bounds as Area, maximized: state?.maximized === true };
  } catch {
    return undefined; // the first start, or a file that is damaged
  }
}

/** Kept for the next start; a disk that takes nothing is no reason not to close. */
export function writeWindowState(file: string, state: WindowState): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify(state));
    renameSync(`${file}.new`, file);
  } catch (error) {
    console.error(`The window's place is not kept: ${String(error)}`);
  }
}

/** The state, if the window can be seen and moved on the screens that there are now. */
export function visibleState(
  state: WindowState | undefined,
  screens: readonly Area[],
): OpeningState {
  if (!state) return FIRST;
  const { bounds, maximized } = state;
  if (screens.some((screen) => isReachable(bounds, screen))) return state;
  return { bounds: { width: bounds.width, height: bounds.height }, maximized };
}

function isReachable(window: Area, screen: Area): boolean {
  const left = Math.max(window.x, screen.x);
  const right = Math.min(window.x + window.width, screen.x + screen.width);
  const top = window.y >= screen.y && window.y + GRIP <= screen.y + screen.height;
  return top && right - left >= GRIP;
}
