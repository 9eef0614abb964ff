import { css } from "lit";

export const styles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-width: 0;
    min-height: 0;
  }
  .mat {
    position: relative;
    flex: 1;
    min-height: 0;
    background: var(--stage);
    overflow: hidden;
  }
  .frame {
    position: absolute;
    top: 50%;
    left: 50%;
    width: var(--across);
    height: var(--up);
    transform: translate(-50%, -50%);
    border-radius: 4px;
    background: var(--panel);
    box-shadow: var(--picture-shadow);
    overflow: hidden;
  }
  img,
  sidecar-sharp-picture {
    position: absolute;
    top: 0;
    left: 0;
    width: 100%;
    height: 100%;
    display: block;
  }
  .arriving {
    animation: arrive 420ms ease-out;
  }
  .coming {
    opacity: 0;
  }
  .waiting {
    opacity: 0.35;
    transition: opacity 300ms;
  }
  .chip {
    position: absolute;
    top: 12px;
    left: 12px;
    padding: 0 8px;
    border-radius: 4px;
    background: rgba(20, 20, 18, 0.78);
    color: #fff;
    font-size: 12px;
    line-height: 24px;
  }
  .chip[data-busy]::after {
    content: "";
    display: inline-block;
    width: 6px;
    height: 6px;
    margin-left: 8px;
    border-radius: 3px;
    background: #fff;
    vertical-align: 1px;
    animation: breathe 900ms ease-in-out infinite alternate;
  }
  @keyframes arrive {
    from {
      opacity: 0;
    }
  }
  @keyframes breathe {
    from {
      opacity: 0.25;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    .arriving,
    .chip[data-busy]::after {
      animation: none;
    }
    .waiting {
      transition: none;
    }
  }
`;
