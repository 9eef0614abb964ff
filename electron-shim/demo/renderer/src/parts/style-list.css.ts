import { css } from "lit";

export const styles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
  }
  .head {
    display: flex;
    align-items: center;
    justify-content: space-between;
    flex: none;
    height: 40px;
    padding: 0 16px;
  }
  .cards {
    display: grid;
    grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
    grid-gap: 8px;
    align-content: start;
    padding: 4px 16px 16px;
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .card {
    position: relative;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--raised);
    cursor: pointer;
    transition: border-color var(--quick), box-shadow var(--quick);
  }
  .card:hover {
    border-color: var(--line-strong);
  }
  .card[aria-selected="true"] {
    border-color: var(--accent);
    box-shadow: 0 0 0 1px var(--accent);
  }
  .card[data-coming] {
    border-color: var(--accent);
    border-style: dashed;
  }
  .picture {
    position: relative;
    height: 0;
    padding-bottom: 84%;
    overflow: hidden;
    border-radius: 7px 7px 0 0;
    background: var(--paper);
    color: var(--ink-2);
  }
  .picture > img,
  .picture > .sign {
    position: absolute;
    top: 0;
    left: 0;
    width: 100%;
    height: 100%;
    object-fit: cover;
  }
  .sign {
    display: flex;
    align-items: center;
    justify-content: center;
    font-size: 32px;
    font-weight: 300;
  }
  .name {
    display: flex;
    align-items: center;
    justify-content: space-between;
    height: 32px;
    padding: 0 8px;
    font-weight: 500;
  }
  .name > span:first-child {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .alpha {
    margin-left: 4px;
    color: var(--accent);
    font-size: 12px;
  }
  .doubt {
    margin-left: 4px;
    color: var(--warn);
  }
  .mix,
  .on {
    position: absolute;
    top: 6px;
    right: 6px;
    display: flex;
    align-items: center;
    justify-content: center;
    width: 24px;
    height: 24px;
    border-radius: 12px;
    background: var(--raised);
    border: 1px solid var(--line);
    color: var(--ink);
  }
  .mix {
    opacity: 0;
    transition: opacity var(--quick);
  }
  .card:hover .mix,
  .card:focus .mix {
    opacity: 1;
  }
  .mix:hover {
    background: var(--accent);
    border-color: var(--accent);
    color: var(--on-accent);
  }
  .on {
    left: 6px;
    right: auto;
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
  }
  .empty {
    grid-column: 1 / -1;
    padding: 8px 0;
  }
  .hint {
    font-size: 12px;
  }
`;
