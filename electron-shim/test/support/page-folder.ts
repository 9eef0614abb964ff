import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A built page in small: an index, a script, a file of no known type; a secret lies beside it. */
export function pageFolder(): string {
  const outer = mkdtempSync(join(tmpdir(), "page-"));
  onTestFinished(() => rmSync(outer, { recursive: true, force: true }));
  const folder = join(outer, "page");
  mkdirSync(join(folder, "assets"), { recursive: true });
  writeFileSync(join(outer, "secret.html"), "secret");
  writeFileSync(join(folder, "index.html"), "<title>The page</title>");
  writeFileSync(join(folder, "assets", "a.js"), "'a script'");
  writeFileSync(join(folder, "notes.odd"), "secret");
  return folder;
}
