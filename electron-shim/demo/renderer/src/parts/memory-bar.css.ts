import { css } from "lit";

export const styles = css`
  :host {
    position: relative;
  }
  .bar {
    display: flex;
    width: 72px;
    height: 6px;
    margin-right: 8px;
    border-radius: 3px;
    background: var(--line);
    overflow: hidden;
  }
  .bar i {
    display: block;
    height: 100%;
    width: calc(100% * var(--share));
  }
  .ours {
    background: var(--accent);
  }
  .others {
    background: var(--line-strong);
  }
  .button {
    min-width: 184px;
  }
  @media (max-width: 960px) {
    .button {
      min-width: 0;
    }
    .button .bar {
      display: none;
    }
  }
  .sheet {
    position: absolute;
    top: 40px;
    right: 0;
    z-index: 5;
    width: 320px;
    padding: 16px;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--raised);
    box-shadow: var(--shadow);
  }
  .sheet .bar {
    width: 100%;
    height: 8px;
    margin: 8px 0 12px;
    border-radius: 4px;
  }
  .head {
    display: flex;
    justify-content: space-between;
    align-items: baseline;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  td {
    padding: 2px 0;
  }
  td:last-child {
    text-align: right;
  }
  i.dot {
    display: inline-block;
    width: 8px;
    height: 8px;
    margin-right: 8px;
    border-radius: 4px;
    background: var(--line);
  }
  i.dot.ours {
    background: var(--accent);
  }
  i.dot.others {
    background: var(--line-strong);
  }
  .parts {
    margin-top: 12px;
    padding-top: 12px;
    border-top: 1px solid var(--line);
  }
`;
