#!/usr/bin/env node
// A library of it prints to stdout.
import { serve } from "./wire.mjs";

serve({ ping: () => void process.stdout.write("native chatter\r\n\r\n") });
