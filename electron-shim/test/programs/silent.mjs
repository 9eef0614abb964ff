#!/usr/bin/env node
// Reads, and never says a word.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
