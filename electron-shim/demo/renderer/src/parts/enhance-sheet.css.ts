import { css } from "lit";

export const styles = css`
  dialog {
    width: 720px;
    max-width: calc(100vw - 64px);
    padding: 0;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--panel);
    color: var(--ink);
    box-shadow: var(--shadow);
  }
  dialog::backdrop {
    background: rgba(20, 20, 18, 0.5);
  }
  sidecar-toasts {
    top: 64px; /* what closes the sheet stays within reach */
  }
  .head,
  .foot {
    display: flex;
    align-items: center;
    justify-content: space-between;
    height: 56px;
    padding: 0 12px 0 20px;
  }
  h2 {
    font-size: 15px;
  }
  .foot {
    justify-content: flex-start;
    padding-right: 20px;
  }
  .foot > .button:last-child {
    margin-left: auto;
  }
  .what {
    margin-right: 12px;
  }
  .both {
    display: flex;
  }
  .why {
    flex: 1;
    margin: 0 16px;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .scales {
    display: flex;
    border: 1px solid var(--line);
    border-radius: 6px;
  }
  .scales label {
    position: relative;
    cursor: pointer;
  }
  .scales span {
    display: block;
    padding: 0 12px;
    border-radius: 5px;
    line-height: 30px;
  }
  .scales input:checked + span {
    background: var(--accent-soft);
    font-weight: 500;
  }
  .scales input:focus-visible + span {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  .about {
    flex: 1;
    padding: 0 16px;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .foot .button + .button {
    margin-left: 8px;
  }
  .body {
    height: 420px;
    max-height: calc(100vh - 200px);
    margin: 0 20px;
  }
  .drop {
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    height: 100%;
    border: 1px dashed var(--line-strong);
    border-radius: var(--radius);
    background: var(--paper);
    text-align: center;
    transition: border-color var(--quick), background var(--quick);
  }
  .drop[data-over] {
    border-color: var(--accent);
    background: var(--accent-soft);
  }
  .drop .big {
    margin-bottom: 4px;
    font-size: 18px;
    line-height: 24px;
    font-weight: 300;
  }
  .drop .button {
    margin-top: 16px;
  }
  .drop svg {
    width: 32px;
    height: 32px;
    margin-bottom: 12px;
    stroke-width: 1;
    color: var(--ink-2);
  }
  .no {
    margin-top: 12px;
    color: var(--danger);
  }
  .work {
    position: relative;
    height: 100%;
    border-radius: var(--radius);
    background: var(--stage);
    overflow: hidden;
  }
  .work img {
    width: 100%;
    height: 100%;
    object-fit: contain;
    opacity: 0.4;
  }
  .how {
    position: absolute;
    right: 20%;
    bottom: 32px;
    left: 20%;
    padding: 12px 16px 16px;
    border-radius: var(--radius);
    background: var(--raised);
    box-shadow: var(--shadow);
  }
  .how p {
    display: flex;
    justify-content: space-between;
    margin-bottom: 8px;
  }
  sidecar-compare-view {
    height: 100%;
  }
`;
