#!/usr/bin/env node
process.stderr.write("no such device\n");
process.exit(3);
