import { run } from '../cluster/command.ts';
import { goTool } from './go-tool.ts';

export const kubeScoreProgram = () => goTool('kube-score', 'github.com/zegl/kube-score/cmd/kube-score');

/** Something that kube-score calls critical. */
export interface Critical {
  /** As `container-resources`. */
  readonly check: string;
  /** As `DaemonSet keepalive-agent`. */
  readonly object: string;
  /** In its words. */
  readonly said: readonly string[];
}

interface Scored {
  readonly type_meta: { readonly kind: string };
  readonly object_meta: { readonly name: string };
  readonly checks: readonly {
    readonly check: { readonly id: string };
    readonly grade: number;
    readonly skipped: boolean;
    readonly comments: readonly { readonly summary: string }[] | null;
  }[];
}

const criticalGrade = 1;

export async function criticalIn(text: string): Promise<Critical[]> {
  const argv = [
    await kubeScoreProgram(),
    'score',
    '--kubernetes-version',
    'v1.37',
    '--output-format',
    'json',
  ];
  const { stdout, stderr } = await run([...argv, '-'], { stdin: text });
  if (!stdout.startsWith('[')) throw new Error(stderr.trim() || 'kube-score said nothing');
  return (JSON.parse(stdout) as Scored[]).flatMap(({ type_meta: { kind }, object_meta: { name }, checks }) =>
    checks
      .filter(({ grade, skipped }) => grade === criticalGrade && !skipped)
      .map(({ check, comments }) => ({
        ...{ check: check.id, object: `${kind} ${name}` },
        said: (comments ?? []).map(({ summary }) => summary),
      })),
  );
}
