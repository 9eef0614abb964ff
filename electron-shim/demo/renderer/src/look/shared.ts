import { css } from "lit";

/** What every part begins with: box model, focus ring, buttons, fields. */
export const shared = css`
  :host {
    display: block;
    box-sizing: border-box;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  *,
  *::before,
  *::after {
    box-sizing: inherit;
  }
  :focus {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  :focus:not(:focus-visible) {
    outline: none;
  }
  button,
  input,
  select,
  textarea {
    margin: 0;
    font: inherit;
    color: inherit;
    letter-spacing: inherit;
  }
  h2 {
    margin: 0;
    font-size: 13px;
    font-weight: 600;
  }
  p {
    margin: 0;
  }
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    height: 32px;
    padding: 0 12px;
    border: 1px solid var(--line);
    border-radius: 6px;
    background: var(--raised);
    font-weight: 500;
    white-space: nowrap;
    cursor: pointer;
    transition: background var(--quick), border-color var(--quick);
  }
  .button:hover {
    border-color: var(--line-strong);
  }
  .button:disabled {
    opacity: 0.5;
    cursor: default;
    border-color: var(--line);
  }
  .button.main {
    border-color: transparent;
    background: var(--accent);
    color: var(--on-accent);
  }
  .button.main:hover:not(:disabled) {
    background: var(--accent-hover);
  }
  .button.quiet {
    border-color: transparent;
    background: transparent;
  }
  .button.quiet:hover:not(:disabled) {
    background: var(--paper);
    border-color: var(--line);
  }
  .button.danger {
    color: var(--danger);
  }
  .button.icon {
    width: 32px;
    padding: 0;
  }
  .button svg + span,
  .button span + svg {
    margin-left: 6px;
  }
  svg {
    flex: none;
    display: block;
  }
  .field {
    height: 32px;
    padding: 0 8px;
    border: 1px solid var(--line-strong);
    border-radius: 6px;
    background: var(--raised);
  }
  .field::placeholder {
    color: var(--ink-2);
    opacity: 1;
  }
  .soft {
    color: var(--ink-2);
  }
  .figures {
    font-variant-numeric: tabular-nums;
  }
  .heard {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip: rect(0 0 0 0);
    white-space: nowrap;
  }
`;
