import type { RemarkFormat } from './remark-output.ts';

/** Names of formats, for the help: what writes them takes longer to load than to list. */
export const formatNames: { readonly remarks: readonly RemarkFormat[] } = {
  remarks: ['text', 'json', 'sarif', 'github'],
};
