import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";

/** 16 × 16, drawn with one pen; decoration, so nothing for screen readers. */
function icon(paths: SVGTemplateResult): TemplateResult {
  return html`<svg
    width="16"
    height="16"
    viewBox="0 0 16 16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.5"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
  >
    ${paths}
  </svg>`;
}

export const plus = icon(svg`<path d="M8 3.5v9M3.5 8h9" />`);
export const minus = icon(svg`<path d="M3.5 8h9" />`);
export const check = icon(svg`<path d="M3.5 8.5l3 3 6-7" />`);
export const cross = icon(svg`<path d="M4 4l8 8M12 4l-8 8" />`);
export const chevron = icon(svg`<path d="M4 6l4 4 4-4" />`);
export const copy = icon(
  svg`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M3.5 10.5h-.25a.75.75 0 01-.75-.75v-6.5a.75.75 0 01.75-.75h6.5a.75.75 0 01.75.75v.25" />`,
);
export const bin = icon(
  svg`<path d="M2.5 4.5h11M6 4.5V3h4v1.5M4 4.5l.6 8.5h6.8l.6-8.5M6.75 7v3.5M9.25 7v3.5" />`,
);
export const again = icon(svg`<path d="M13 8a5 5 0 11-1.6-3.7M13 2.5v2.6h-2.6" />`);
export const pin = icon(svg`<path d="M4.5 2.5h7v11L8 10.75 4.5 13.5z" />`);
export const pinned = icon(svg`<path d="M4.5 2.5h7v11L8 10.75 4.5 13.5z" fill="currentColor" />`);
export const sun = icon(
  svg`<circle cx="8" cy="8" r="2.75" /><path d="M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />`,
);
export const moon = icon(svg`<path d="M13 9.5A5.5 5.5 0 016.5 3a5.5 5.5 0 106.5 6.5z" />`);
export const half = icon(
  svg`<circle cx="8" cy="8" r="5.5" /><path d="M8 2.5v11a5.5 5.5 0 000-11z" fill="currentColor" />`,
);
export const wand = icon(
  svg`<path d="M3 13l7-7M9 3.2l.5-1.7.5 1.7 1.7.5-1.7.5-.5 1.7-.5-1.7-1.7-.5zM12.5 9.5l.3-1 .3 1 1 .3-1 .3-.3 1-.3-1-1-.3z" />`,
);
export const warning = icon(svg`<path d="M8 2.5L14 13H2z" /><path d="M8 6.75v2.75M8 11.4v.05" />`);
export const save = icon(svg`<path d="M8 2.5v7.5M4.75 7L8 10.25 11.25 7M3 13.5h10" />`);
export const picture = icon(
  svg`<rect x="2" y="2.5" width="12" height="11" rx="1.5" /><circle cx="5.75" cy="6" r="1" /><path d="M2.5 11.5l3.25-3 2.25 2 2.5-2.75 3 3.25" />`,
);
export const info = icon(svg`<circle cx="8" cy="8" r="5.75" /><path d="M8 7.25v3.5M8 5.1v.05" />`);

/** The sign: a wheel, and a smaller one at its side. */
export const sign = html`<svg width="28" height="20" viewBox="0 0 28 20" fill="none" aria-hidden="true">
  <circle cx="10" cy="10" r="7.5" stroke="var(--accent)" stroke-width="3" />
  <circle cx="10" cy="10" r="2" fill="var(--accent)" />
  <circle cx="22.5" cy="14" r="3.5" stroke="currentColor" stroke-width="2.5" />
</svg>`;

/** No style: the sheet of paper before anything is on it. */
export const blank = html`<svg width="56" height="56" viewBox="0 0 56 56" fill="none" aria-hidden="true">
  <circle cx="28" cy="28" r="17" stroke="currentColor" stroke-width="1.5" />
  <path d="M16 40L40 16" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" />
</svg>`;
