import type { Log, ReportingDescriptor, Result } from 'sarif';

import { GROUP } from '../api/group.ts';
import type { Remark, RemarkKind } from './remark.ts';
import { remarkKinds, severityOf } from './remark.ts';
import { stdinName } from './input.ts';

const kinds = Object.keys(remarkKinds) as RemarkKind[];

/** SARIF 2.1.0, which forges and editors read; the multitool of its authors validates it in a test. */
export function sarif(remarks: readonly Remark[], version: string): Log {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'keepalive',
            semanticVersion: /^\d/.test(version) ? version : '0.0.0',
            informationUri: `https://${GROUP}`,
            rules: kinds.map(ruleOf),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: remarks.map(resultOf),
      },
    ],
  };
}

function ruleOf(kind: RemarkKind): ReportingDescriptor {
  const [level, text] = remarkKinds[kind];
  return {
    id: kind,
    shortDescription: { text },
    fullDescription: { text },
    help: { text: `${text} docs/cli.md tells what to do.` },
    defaultConfiguration: { level },
  };
}

function resultOf(one: Remark): Result {
  const { kind, file, place, object, message } = one;
  const region = { startLine: place.line, startColumn: place.column };
  return {
    ruleId: kind,
    ruleIndex: kinds.indexOf(kind),
    level: severityOf(one),
    message: { text: `${object === '' ? '' : `${object}: `}${message}` },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, region } }],
  };
}

function uriOf(file: string): string {
  return file === stdinName ? 'stdin' : file.split('/').map(encodeURIComponent).join('/');
}
