// The app's page. `vite build` makes one classic script, which also runs from file:// and in old
// Chromiums; `--mode web` adds the development bridge, which the Electron build never carries.
import { fileURLToPath } from "node:url";
import { defaultClientConditions, defineConfig, type Plugin } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A page opened from a file may load no module script, so the one script is a classic one. */
const classicScript: Plugin = {
  name: "classic-script",
  transformIndexHtml: {
    order: "post",
    handler: (html) =>
      html
        .replace(/<script type="module" crossorigin/g, "<script defer")
        .replace(/<link rel="stylesheet" crossorigin/g, '<link rel="stylesheet"'),
  },
};

/** Over the development bridge the page speaks to its own server, and to nothing else. */
const loopbackPolicy: Plugin = {
  name: "loopback-policy",
  transformIndexHtml: (html) =>
    html.replace("connect-src 'none'", "connect-src 'self' ws://127.0.0.1:*"),
};

export default defineConfig(({ mode }) => {
  const web = mode === "web";
  return {
    root: at("renderer"),
    base: "./",
    define: { __WEB__: JSON.stringify(web) },
    resolve: {
      conditions: ["production", ...defaultClientConditions.filter((one) => !/\|/.test(one))],
      alias: {
        "@lora-sidecar/electron/renderer": at("../src/renderer.ts"),
        "@lora-sidecar/electron/preload": at("../src/preload.ts"),
      },
    },
    plugins: [web ? loopbackPolicy : classicScript],
    build: {
      outDir: at(web ? "dist/web" : "dist/renderer"),
      emptyOutDir: true,
      target: process.env["SIDECAR_APP_TARGET"] ?? "chrome124", // Electron 30
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      cssCodeSplit: web,
      rollupOptions: {
        output: { format: web ? "es" : "iife" },
      },
    },
  };
});
