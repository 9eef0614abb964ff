/**
 * The main process: start a sidecar, speak to it, let pages speak to it.
 *
 * @packageDocumentation
 */
export type { FrameLike, IpcMainLike, MessageLike, SenderLike } from "./bridge/electron.js";
export type { BridgePolicy } from "./bridge/policy.js";
export { type BridgedSidecar, registerSidecar } from "./bridge/register.js";
export { SidecarClient, type SidecarOptions } from "./client/client.js";
export { type AppLike, stopWithApp } from "./client/quit.js";
export { type StartOptions, startSidecar } from "./client/start.js";
export type { LoraStrength, SidecarState } from "./client/state.js";
export * from "./errors/index.js";
export { type PictureSource, servePictures } from "./pictures/serve.js";
export type { SidecarChild } from "./supervisor/child.js";
export { bundledProgram } from "./supervisor/command.js";
export { childEnvironment } from "./supervisor/environment.js";
export type { LogRecord } from "./supervisor/log-lines.js";
export type {
  Deadlines,
  RestartBudget,
  ServeOptions,
  SidecarProgram,
  SupervisorOptions,
} from "./supervisor/options.js";
export {
  type Handshake,
  Supervisor,
  type SupervisorEvents,
  type SupervisorState,
} from "./supervisor/supervisor.js";
export * from "./types.js";
