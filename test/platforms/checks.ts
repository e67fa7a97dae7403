/** What has to hold on every kind of node: the tests are named by it, and so are the rows of docs/platforms.md. */
export const checks = {
  live: 'pods that run when a policy comes get its values',
  rare: 'so do a static pod and one whose first container has not ended',
  systemd: 'and one in which systemd runs, and divides its control group',
  users: 'a pod with users of its own gets them as well',
  new: 'pods that come after a policy start with its values',
  connections:
    'connections that were open before a policy, of pods and of the node’s network, are repaired and told of',
  changed: 'a change of a policy reaches all of them, and the connections that are open in them',
  drift: 'what somebody on the node sets back is put right',
  sandbox: 'a pod that gets a new sandbox is covered again',
  own: 'the agent finds its own pod',
  gvisor:
    'pods in gVisor, whatever their handler is called, are told as out of reach, and are neither live nor declared',
  snat: 'idle connections through a NAT that forgets them die without a policy and live with one',
  silentDrop: 'so do those through a router that drops them in silence',
  kernelOnly: 'an agent with the rights of kernel-only alone looks after all connections all the same',
  killed: 'an agent that is killed comes back and goes on',
  upgraded: 'another agent takes over from the one before it',
  appArmor: 'an agent that a profile of AppArmor keeps from pods says so, and what to set',
  rebooted: 'a node that is started again is covered again, and nothing is left of what was noted before',
  restored: 'all have their own values back when the policy goes',
  host: 'the node itself gets the values where a cluster policy selects it, and its own back',
  uninstalled: 'what is uninstalled leaves every value as it was found, and nothing of ours on the node',
} as const;

export type CheckId = keyof typeof checks;
