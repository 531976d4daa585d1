import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { create, toBinary } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { InferenceSession, Tensor } from 'onnxruntime-node';

// Times one Gemm as the engine runs it: float32, weight [outer, inner] transposed, one thread.
//   node gemm-worker.js DIST_DIR

interface Command {
  readonly rows: number;
  readonly inner: number;
  readonly outer: number;
  readonly rounds: number;
}

const secondsPerRound = 0.3;
const [dist = ''] = process.argv.slice(2);
const { ModelProtoSchema } = (await import(pathToFileURL(join(dist, 'graph/proto/onnx-ml_pb.js')).href)) as {
  ModelProtoSchema: DescMessage;
};
answer({ ready: true });
for await (const line of createInterface({ input: process.stdin })) answer(await run(JSON.parse(line)));

async function run({ rows, inner, outer, rounds }: Command): Promise<object> {
  const session = await InferenceSession.create(createModel({ rows, inner, outer }), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const feeds = { x: new Tensor('float32', fill(rows * inner), [rows, inner]) };
  const flop = 2 * rows * inner * outer;
  await session.run(feeds);
  const gflops: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    let runs = 0;
    while (performance.now() - start < secondsPerRound * 1000) {
      await session.run(feeds);
      runs++;
    }
    gflops.push((flop * runs) / (performance.now() - start) / 1e6);
  }
  await session.release();
  return { gflops };
}

function createModel({ rows, inner, outer }: { rows: number; inner: number; outer: number }): Uint8Array {
  const float = 1;
  const int = 2; // AttributeProto.AttributeType.INT
  const dims = (...sizes: number[]): object => ({
    value: {
      case: 'tensorType',
      value: {
        elemType: float,
        shape: { dim: sizes.map((size) => ({ value: { case: 'dimValue', value: BigInt(size) } })) },
      },
    },
  });
  const bytes = (values: Float32Array): Uint8Array => new Uint8Array(values.buffer);
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name: 'gemm',
      node: [
        { opType: 'Gemm', input: ['x', 'w', 'b'], output: ['y'], attribute: [{ name: 'transB', type: int, i: 1n }] },
      ],
      initializer: [
        { name: 'w', dataType: float, dims: [BigInt(outer), BigInt(inner)], rawData: bytes(fill(outer * inner)) },
        { name: 'b', dataType: float, dims: [BigInt(outer)], rawData: bytes(fill(outer)) },
      ],
      input: [{ name: 'x', type: dims(rows, inner) }],
      output: [{ name: 'y', type: dims(rows, outer) }],
    },
  } as never); // the schema is known only at run time
  return toBinary(ModelProtoSchema, model);
}

/** Small values, no denormals. */
function fill(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5);
}

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
