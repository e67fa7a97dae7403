import type { PolicyKind } from '../../src/api/group.ts';
import type { RawPod } from '../../src/policy/pod.ts';
import type { Sysctl } from '../../src/policy/sysctl.ts';
import type { KeepalivePolicySpecInput, ClusterKeepalivePolicySpecInput } from './policy-input.ts';
