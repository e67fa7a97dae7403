import type { DiagnosisFormat } from './doctor-output.ts';
import type { ExplanationFormat } from './explain-output.ts';
import type { RemarkFormat } from './remark-output.ts';
import type { StatusFormat } from './status-output.ts';

/** Names of formats, for the help: what writes them takes longer to load than to list. */
export const formatNames: {
  readonly remarks: readonly RemarkFormat[];
  readonly status: readonly StatusFormat[];
  readonly diagnosis: readonly DiagnosisFormat[];
  readonly explanation: readonly ExplanationFormat[];
} = {
  remarks: ['text', 'json', 'sarif', 'github'],
  status: ['text', 'json'],
  diagnosis: ['text', 'json'],
  explanation: ['text', 'json'],
};
