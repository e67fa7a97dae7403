/** The matrix: every kind of connection that a scenario tries. */
export interface Cell {
  /** Whether its pod was there before the policy. */
  readonly pod: 'new' | 'running';
  readonly network: 'pod' | 'host';
  /** Whether the connection was opened before or after the policy. */
  readonly opened: 'before' | 'after';
  /** Whether the program asks for keepalive (SO_KEEPALIVE), or has never heard of it. */
  readonly asks: boolean;
  readonly family: 'IPv4' | 'IPv6';
}

const pods = [
  { pod: 'new', opened: 'after' },
  { pod: 'running', opened: 'after' },
  // A new pod has no connection that is older than the policy.
  { pod: 'running', opened: 'before' },
] as const;
const networks = ['pod', 'host'] as const;
export const families = ['IPv4', 'IPv6'] as const;

export const matrix: readonly Cell[] = pods.flatMap((when) =>
  networks.flatMap((network) =>
    [true, false].flatMap((asks) => families.map((family): Cell => ({ ...when, network, asks, family }))),
  ),
);

/** In words, all but the family: the tables tell IPv4 and IPv6 of one kind side by side. */
export function kindOf({ pod, network, opened, asks }: Cell): string[] {
  return [
    `${pod} pod`,
    `${network} network`,
    `opened ${opened}`,
    asks ? 'asks for keepalive' : 'does not ask',
  ];
}
