import type { PolicyKind } from './group.ts';
import type { Hop } from './hop.ts';
import type { LabelSelector } from './selector.ts';
import type { PolicySpec } from './spec.ts';

/**
 * What is valid and most often not meant: `kubectl apply` warns of it, and nothing is refused. CEL here has the
 * policy as `object`, and says whether there is nothing to warn of; a test holds `told` against it.
 */
export interface Warning {
  readonly cel: string;
  /** CEL that gives the message. */
  readonly messageCel: string;
  /** The same message; `undefined` where there is nothing to warn of. */
  readonly told: (spec: PolicySpec) => string | undefined;
}

interface HopWarning {
  /** CEL over the hop `h`; what it holds of has a name. */
  readonly cel: string;
  readonly suspects: (hop: Hop) => boolean;
  /** With `%s` for the name of the hop, and in this order `%d` for its timeout and for what may be meant. */
  readonly message: string;
  readonly meant?: { readonly cel: string; readonly of: (seconds: number) => number };
}

const seconds = 'h.idleTimeoutSeconds';

/** No product of the presets forgets sooner; Azure and others count in minutes, from 4 to 30. */
const shortest = 30;
/** 10 s in milliseconds. Octavia, HAProxy and others count in these. */
const longAsMilliseconds = 10_000;
const hour = 3600;
const day = 86_400;

/** A thousand times a whole number, and no whole hours of one day nor whole days. */
function looksLikeMilliseconds({ idleTimeoutSeconds = 0 }: Hop): boolean {
  return (
    idleTimeoutSeconds >= longAsMilliseconds &&
    idleTimeoutSeconds % 1000 === 0 &&
    idleTimeoutSeconds % (idleTimeoutSeconds < day ? hour : day) !== 0
  );
}

/** Names of programs that end TCP themselves; one that names a network load balancer beside them stands before it. */
const proxyName = /(^|-)(alb|envoy|haproxy|nginx|traefik)(-|$)/;
const networkName = /(^|-)(nlb|l4)(-|$)/;

const hopWarnings: readonly HopWarning[] = [
  {
    cel: `has(${seconds}) && ${seconds} < ${shortest}`,
    suspects: ({ idleTimeoutSeconds = shortest }) => idleTimeoutSeconds < shortest,
    message: '%s forgets after %d s: are these minutes? Then declare %d',
    meant: { cel: `${seconds} * 60`, of: (value) => value * 60 },
  },
  {
    cel:
      `has(${seconds}) && ${seconds} >= ${longAsMilliseconds} && ${seconds} % 1000 == 0 && ` +
      `${seconds} % (${seconds} < ${day} ? ${hour} : ${day}) != 0`,
    suspects: looksLikeMilliseconds,
    message: '%s forgets after %d s: are these milliseconds? Then declare %d',
    meant: { cel: `${seconds} / 1000`, of: (value) => value / 1000 },
  },
  {
    cel: `has(h.type) && h.type == 'LoadBalancer' && h.name.matches('${proxyName.source}') && !h.name.matches('${networkName.source}')`,
    suspects: ({ type, name = '' }) =>
      type === 'LoadBalancer' && proxyName.test(name) && !networkName.test(name),
    message:
      '%s is declared as LoadBalancer, and by its name ends TCP itself: no keepalive probe refreshes that. If it does, its type is Proxy',
  },
];

function ofHops({ cel, suspects, message, meant }: HopWarning): Warning {
  const values = ['h.name', ...(meant === undefined ? [] : [`${seconds}`, meant.cel])];
  return {
    cel: `!object.spec.path.exists(h, ${cel})`,
    messageCel: `object.spec.path.filter(h, ${cel}).map(h, '${message}'.format([${values.map((value) => `dyn(${value})`).join(', ')}]))[0]`,
    told: ({ path }) => {
      const hop = path.find(suspects);
      if (hop === undefined) return undefined;
      const { name = '', idleTimeoutSeconds = 0 } = hop;
      const said: (string | number)[] = [name, idleTimeoutSeconds, meant?.of(idleTimeoutSeconds) ?? 0];
      return message.replaceAll(/%[sd]/g, () => String(said.shift()));
    },
  };
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector) =>
  Object.keys(matchLabels).length + matchExpressions.length === 0;
const isEmptyCel = (selector: string) =>
  ['matchLabels', 'matchExpressions']
    .map((part) => `(!has(${selector}.${part}) || size(${selector}.${part}) == 0)`)
    .join(' && ');

const everyPod =
  'spec.podSelector is empty and there is no spec.namespaceSelector: every pod of the cluster is selected, kube-system included. ' +
  'Fields that do not exist, such as matchNames, are dropped and leave it empty';
const everyNode = 'spec.nodes.selector is empty: the network of every node is selected';

const selectorWarnings: readonly Warning[] = [
  {
    cel: `!(has(object.spec.podSelector) && !has(object.spec.namespaceSelector) && ${isEmptyCel('object.spec.podSelector')})`,
    messageCel: `'${everyPod}'`,
    told: (spec) => {
      if (!('podSelector' in spec) || 'namespaceSelector' in spec) return undefined;
      return spec.podSelector !== undefined && isEmpty(spec.podSelector) ? everyPod : undefined;
    },
  },
  {
    cel: `!(has(object.spec.nodes) && ${isEmptyCel('object.spec.nodes.selector')})`,
    messageCel: `'${everyNode}'`,
    told: (spec) =>
      'nodes' in spec && spec.nodes !== undefined && isEmpty(spec.nodes.selector) ? everyNode : undefined,
  },
];

const shared = hopWarnings.map(ofHops);

/** An empty podSelector of a namespaced policy is a common wish, and reaches no further than its namespace. */
export const warnings: Readonly<Record<PolicyKind, readonly Warning[]>> = {
  KeepalivePolicy: shared,
  ClusterKeepalivePolicy: [...shared, ...selectorWarnings],
};
