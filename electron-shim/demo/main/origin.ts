// The page has a scheme of its own: unlike file://, it has an origin that no other file shares.

/** Where the page is served. */
export const SCHEME = "app";
/** What the bridge lets in, and nothing else. */
export const ORIGIN = `${SCHEME}://lora-sidecar`;
/** It counts as secure and has relative addresses, like https. */
export const SCHEME_PRIVILEGES = { standard: true, secure: true, supportFetchAPI: true };
