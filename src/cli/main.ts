#!/usr/bin/env node
import { run } from './program.ts';
import { mindStreams } from './streams.ts';
import { processTerminal } from './terminal.ts';

mindStreams();
process.exitCode = await run(process.argv.slice(2), processTerminal());
