import { expect, test } from "vitest";
import { contentPolicy, servePage } from "../../demo/shared/serve-page.js";
import { pageFolder } from "../support/page-folder.js";

const page = () => servePage(pageFolder(), contentPolicy());

test("the page and its parts are served with their types and a strict policy", async () => {
  const served = page();
  const index = await served({ url: "app://lora-sidecar/" });
  expect(await index.text()).toBe("<title>The page</title>");
  expect(index.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const policy = index.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).not.toMatch(/unsafe|\*/);
  const script = await served({ url: "app://lora-sidecar/assets/a.js?v=1" });
  expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
});

test.each([
  "/nothing.html",
  "/assets",
  "/notes.odd",
  "/..%2fsecret.html",
  "/%2e%2e%2fsecret.html",
  "/assets/..%2f..%2fsecret.html",
  "/assets%00.html",
  "/%E0%A4%A",
])("what is not of the page is not found: %s", async (path) => {
  const answer = await page()({ url: `app://lora-sidecar${path}` });
  expect([answer.status, await answer.text()]).toEqual([404, "Not found."]);
});
