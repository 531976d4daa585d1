import type { Node } from '../graph.ts';
import type { Uses } from '../rewrite.ts';

/** The bias of a Gemm when it is one vector added to every row as it stands: the only kind that fused operators take. */
export function rowBiasOf(gemm: Node | undefined, uses: Uses): string | undefined {
  const bias = gemm?.inputs[2];
  const isScaled = gemm?.attributes['beta'] !== undefined;
  return !isScaled && uses.constantShape(bias)?.length === 1 ? bias : undefined;
}

export function withoutBias(gemm: Node): Node {
  return { ...gemm, inputs: gemm.inputs.slice(0, 2) };
}
