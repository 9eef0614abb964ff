/**
 * One stop for Tab, arrows within: call it for a keydown on a list of options. `columns`: options
 * side by side. Moves the focus only; choosing is Enter's and Space's business.
 */
export function rove(event: KeyboardEvent, options: readonly HTMLElement[], columns = 1): void {
  const at = options.indexOf(event.target as HTMLElement);
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    Home: -at,
    End: options.length - 1 - at,
  };
  const step = steps[event.key];
  if (at < 0 || step === undefined) return;
  event.preventDefault();
  const to = Math.min(options.length - 1, Math.max(0, at + step));
  options[to]?.focus();
}
