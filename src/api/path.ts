import * as z from 'zod';

import type { Hop } from './hop.ts';
import { idleTimeoutBounds } from './idle-timeout.ts';
import { hopRules, hopSchema } from './hop.ts';
import { presetNames, presets } from './presets.ts';
import { resolveHop } from './resolved-hop.ts';
import type { Rule } from './rule.ts';
import { withRules } from './rule.ts';

/** CEL: the name of hop `h`, as resolveHop() has it. */
const hopName = "(has(h.name) ? h.name : has(h.preset) ? h.preset : '')";

/** CEL: whether hop `h` follows packets. */
const proxyPresets = presetNames.filter((name) => presets[name].type === 'Proxy');
const isTracking = `(has(h.preset) ? !(h.preset in ['${proxyPresets.join("', '")}']) : (!has(h.type) || h.type != 'Proxy'))`;

/** CEL: the idle timeout of hop `h`; a hop that is invalid for another reason must not fail here too. */
const presetTable = `{${presetNames.map((name) => `'${name}': ${presets[name].idleTimeoutSeconds}`).join(', ')}}`;
const hopTimeout = `(has(h.idleTimeoutSeconds) && type(h.idleTimeoutSeconds) == int ? h.idleTimeoutSeconds : has(h.preset) && h.preset in ${presetTable} ? ${presetTable}[h.preset] : ${idleTimeoutBounds.max})`;

/** CEL over the path of a spec: the hops that follow packets and of which `condition` holds, each as `item` of `h`. */
export const hopsCel = (condition: string, item: string, spec = 'self'): string =>
  `${spec}.path.filter(h, ${isTracking} && ${condition}).map(h, ${item})`;
export const hopFactsCel = { name: hopName, idleTimeoutSeconds: hopTimeout };

export const proxiesOnlyMessage =
  'every hop of this path is a proxy: a proxy counts data and no keepalive probe refreshes it. ' +
  "Raise the proxy's own idle timeout or let the application send heartbeats, " +
  'and declare here the hops that follow packets (NAT, IPVS, LoadBalancer, Firewall, Conntrack)';

const pathRules: readonly Rule<Hop[]>[] = [
  {
    rule: `self.all(h, self.exists_one(other, ${hopName} == ${hopName.replaceAll('h.', 'other.')}))`,
    message:
      'two hops of a path have the same name: give each its own (a hop with a preset is named after it)',
    check: (path) => new Set(path.map((hop) => hop.name ?? hop.preset ?? '')).size === path.length,
  },
  {
    // An empty path has its own message.
    rule: `size(self) == 0 || self.exists(h, ${isTracking})`,
    message: proxiesOnlyMessage,
    check: (path) => path.length === 0 || path.some((hop) => (resolveHop(hop)?.type ?? hop.type) !== 'Proxy'),
  },
];

export const pathSchema = withRules(z.array(withRules(hopSchema, hopRules)).min(1).max(16), pathRules)
  .meta({ 'x-kubernetes-list-type': 'atomic' })
  .describe(
    'Everything between the pods and their peers that forgets idle connections: 1 to 16 hops, in any order. ' +
      'The shortest idle timeout of the hops that follow packets binds: the connections speak before it has passed.',
  );
