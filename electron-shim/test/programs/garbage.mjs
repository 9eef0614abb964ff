#!/usr/bin/env node
process.stdout.write("Usage\r\n\r\n");
process.stdin.resume();
