/**
 * By what new pods are changed: `policy`, by MutatingAdmissionPolicies, which the API server evaluates itself; `webhook`, by this
 * program, which the API server asks. The second is for API servers that do not serve the first.
 */
export const admissionModes = ['policy', 'webhook'] as const;
export type AdmissionMode = (typeof admissionModes)[number];
