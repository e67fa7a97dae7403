import { kinds } from '../../src/api/crd.ts';
import { GROUP, VERSION } from '../../src/api/group.ts';

/** What a reader of a list wants to see first; every other column comes after it, with `w`. */
const columns = {
  KeepalivePolicy: ['NAMESPACE', 'NAME', 'READY', 'COVERED', 'PODS', 'TIMEOUT', 'TIME', 'MODE', 'AGE'],
  ClusterKeepalivePolicy: ['NAME', 'READY', 'COVERED', 'PODS', 'HOSTS', 'TIMEOUT', 'TIME', 'MODE', 'AGE'],
  NodeKeepalive: ['NAME', 'HOST-TIME', 'PODS', 'AGENT', 'AGE'],
} as const;

/** For views.yaml of k9s. */
export function k9sViews() {
  return {
    views: Object.fromEntries(
      Object.values(kinds).map(({ kind, plural }) => [
        `${GROUP}/${VERSION}/${plural}`,
        { columns: columns[kind] },
      ]),
    ),
  };
}

/** For plugins.yaml of k9s: questions to the tool `keepalive`, which has to be in PATH. */
export function k9sPlugins() {
  return {
    plugins: {
      'keepalive-explain': {
        shortCut: 'Shift-K',
        description: 'Keepalive: why',
        scopes: ['pods'],
        ...command('keepalive explain pod/$NAME --namespace $NAMESPACE --context $CONTEXT'),
      },
      'keepalive-status': {
        shortCut: 'Shift-K',
        description: 'Keepalive: status',
        scopes: ['namespaces', 'keepalivepolicies', 'clusterkeepalivepolicies', 'nodekeepalives'],
        ...command('keepalive status --context $CONTEXT'),
      },
    },
  };
}

function command(text: string) {
  return { command: 'sh', background: false, args: ['-c', `${text} 2>&1 | less -R`] };
}
