import { join } from 'node:path';

import type { Plugin } from 'esbuild';

const undici = join(import.meta.dirname, '../node_modules/undici/lib');
const parts = { Agent: 'agent', ProxyAgent: 'proxy-agent' };

/**
 * Of undici what carries a request, by its files: all of it (caches, mocks, decompression) is three times as much and is never called here.
 * An agent holds 1.4 MiB less of anonymous memory by that (docs/performance.md), and there is one on each node; the tool is
 * loaded sooner, and by Node before 22.19, which all of it asks for by what it does while it is loaded. `fetch`, which client-node names
 * and nothing of ours calls, is Node's own.
 */
export const undiciParts: Plugin = {
  name: 'undici-parts',
  setup(build) {
    build.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'parts' }));
    build.onLoad({ filter: /.*/, namespace: 'parts' }, () => ({
      contents: [
        ...Object.entries(parts).map(
          ([name, file]) =>
            `export { default as ${name} } from ${JSON.stringify(join(undici, `dispatcher/${file}.js`))};`,
        ),
        // As its index.js does.
        "import Dispatcher from './dispatcher/dispatcher.js'; import api from './api/index.js';",
        'Object.assign(Dispatcher.prototype, api);',
        'export const fetch = globalThis.fetch;',
      ].join('\n'),
      resolveDir: undici,
    }));
  },
};
