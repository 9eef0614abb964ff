#!/usr/bin/env node
// Heeds neither the end of its stdin nor SIGTERM, and has a child that does not either.
import { spawn } from "node:child_process";
import { serve } from "./wire.mjs";

process.on("SIGTERM", () => {});
const stubborn = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)';
const child = spawn(process.execPath, ["-e", stubborn], { stdio: "ignore" });
setInterval(() => {}, 1000);
serve({ status: () => ({ child: child.pid }) }, () => {});
