/** The plan of addresses inside a lab. Each lab has networks of its own, so every cluster may use the same. */

/** The bridge between control plane and nodes: 10.99.0.0/24 and fd00:99::/64. */
export const control = { v4: '10.99.0.254', v6: 'fd00:99::fe' };

export const apiServer = `https://${control.v4}:6443`;

export const podNetwork = { v4: '10.244.0.0/16', v6: 'fd00:244::/32' };

export const serviceNetwork = '10.96.0.0/16';

/** The address of the `kubernetes` service: the first of the service network. */
export const serviceOfApi = '10.96.0.1';

/** The n-th node: its addresses on the bridge and its pods' networks. Nodes count from 1. */
export function addressesOf(index: number) {
  return {
    v4: `10.99.0.${index}`,
    v6: `fd00:99::${index.toString(16)}`,
    pods: { v4: `10.244.${index}.0/24`, v6: `fd00:244:0:${index.toString(16)}::/64` },
  };
}
