import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Document, Scalar, stringify, visit } from 'yaml';

import { GROUP } from '../src/api/group.ts';

/** In the layout of Argo CD's own folder `resource_customizations`. */
const scripts = join(import.meta.dirname, '../deploy/argocd', GROUP);
const kinds = ['KeepalivePolicy', 'ClusterKeepalivePolicy', 'NodeKeepalive'];
const actions = ['audit', 'enforce'];

/** What Argo CD is told of our kinds: the data of its ConfigMap that a patch or an overlay adds. */
export function argocdConfig(): string {
  const data = Object.fromEntries(kinds.flatMap(keysOf));
  const metadata = { name: 'argocd-cm' };
  return asBlocks({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
}

function keysOf(kind: string): [string, string][] {
  const read = (path: string) => readFileSync(join(scripts, kind, path), 'utf8');
  const key = (what: string) => `resource.customizations.${what}.${GROUP}_${kind}`;
  const health: [string, string] = [key('health'), read('health.lua')];
  if (!existsSync(join(scripts, kind, 'actions'))) return [health];
  const definitions = actions.map((name) => ({ name, 'action.lua': read(`actions/${name}/action.lua`) }));
  return [
    health,
    [key('actions'), asBlocks({ 'discovery.lua': read('actions/discovery.lua'), definitions })],
  ];
}

/** Every text of several lines as it is, so that a reader of the ConfigMap reads Lua. */
function asBlocks(object: unknown): string {
  const document = new Document(object);
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && node.value.includes('\n')) node.type = Scalar.BLOCK_LITERAL;
    },
  });
  return stringify(document, { lineWidth: 0 });
}
