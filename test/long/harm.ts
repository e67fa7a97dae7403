/** A MutatingAdmissionPolicy of somebody else, which takes away from a question what ours have answered. */
export const rival = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicy',
  metadata: { name: 'zz-rival.e2e' },
  spec: {
    failurePolicy: 'Ignore',
    reinvocationPolicy: 'Never',
    matchConstraints: {
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
    matchConditions: [{ name: 'question', expression: 'request.?dryRun.orValue(false)' }],
    mutations: [
      {
        patchType: 'JSONPatch',
        jsonPatch: {
          expression:
            "[JSONPatch{op: 'add', path: '/metadata/annotations', value: Object.metadata.annotations{}}]",
        },
      },
    ],
  },
};
export const rivalBinding = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingAdmissionPolicyBinding',
  metadata: rival.metadata,
  spec: { policyName: rival.metadata.name },
};

/** Sets the first value back, again and again, in the network of the node and in those of its pods, until `rest`. */
export const fight = `touch /run/fight
for pid in self $(pgrep -f '[s]leep 3600'); do
  (while [ -e /run/fight ]; do
    [ $pid = self ] && echo 7200 >/proc/sys/net/ipv4/tcp_keepalive_time
    [ $pid = self ] || nsenter -t $pid -n sh -c 'echo 7200 >/proc/sys/net/ipv4/tcp_keepalive_time'
    sleep 0.2
  done) >/dev/null 2>&1 </dev/null &
done`;
export const rest = 'rm /run/fight';
