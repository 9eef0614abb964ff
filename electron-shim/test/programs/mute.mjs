#!/usr/bin/env node
// Closes its stdout when pinged, and lives on.
import { closeSync } from "node:fs";
import { serve } from "./wire.mjs";

setInterval(() => {}, 1000);
serve({ ping: () => closeSync(1) }, () => {});
