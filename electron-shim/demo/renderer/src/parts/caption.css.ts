import { css } from "lit";

export const styles = css`
  :host {
    height: 48px;
    padding: 0 16px;
    background: var(--panel);
    border-top: 1px solid var(--line);
  }
  :host([empty]) {
    border-color: transparent;
    background: var(--stage);
  }
  .row {
    display: flex;
    align-items: center;
    height: 47px;
  }
  .facts {
    flex: 1;
    min-width: 0;
    overflow: hidden;
    text-overflow: ellipsis;
    margin-right: 12px;
    white-space: nowrap;
    color: var(--ink-2);
  }
  .facts b {
    display: inline-block;
    max-width: 200px;
    overflow: hidden;
    text-overflow: ellipsis;
    vertical-align: bottom;
    color: var(--ink);
    font-weight: 500;
  }
  .facts span + span::before {
    content: "·";
    margin: 0 8px;
  }
  sidecar-progress-line {
    flex: 1;
    margin: 0 16px;
  }
  .button + .button {
    margin-left: 4px;
  }
  .done {
    color: var(--accent);
  }
  .percent {
    width: 40px;
    text-align: right;
    font-weight: 600;
  }
  .left {
    width: 112px;
    text-align: right;
    color: var(--ink-2);
    white-space: nowrap;
  }
`;
