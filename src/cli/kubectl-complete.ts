#!/usr/bin/env node
/** `kubectl_complete-keepalive ARG…`, which kubectl asks at each TAB after `kubectl keepalive`; answers in its format. */
import { run } from './program.ts';
import { mindStreams } from './streams.ts';
import { processTerminal } from './terminal.ts';

mindStreams();
process.exitCode = await run(['complete', '--', ...process.argv.slice(2)], processTerminal());
