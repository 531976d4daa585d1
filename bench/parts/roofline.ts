import type { Context } from '../context.ts';
import { measureGemms, miniLmShapes, toWeightedRate } from '../gemm.ts';
import { fromRounds } from '../report.ts';

/** What one thread of ONNX Runtime reaches on the model's matrix products alone: the most the engine could. */
export async function measureRoofline(context: Context): Promise<void> {
  const { report, quick } = context;
  const part = 'roofline';
  const unit = 'GFLOP/s';
  const rates = await measureGemms(context, { shapes: miniLmShapes, rounds: quick ? 3 : 9 });
  miniLmShapes.forEach(({ name, rows, inner, outer }, i) => {
    report.add(fromRounds({ part, name: `${name}, ${rows}x${inner} by ${inner}x${outer}`, unit }, rates[i] ?? []));
  });
  report.add({ part, name: 'all, weighted as in the model', unit, value: toWeightedRate(rates) });
}
