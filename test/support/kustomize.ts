import { goTool } from './go-tool.ts';

/** Builds kustomize where it is not built yet; gives back the path of the program. */
export const kustomizeProgram = () => goTool('kustomize', 'sigs.k8s.io/kustomize/kustomize/v5');
