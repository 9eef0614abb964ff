/** How long a button that deletes asks whether it is meant, in milliseconds. */
export const SURE_MS = 4_000;
