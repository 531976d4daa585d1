import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type ModelProto,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
} from '../../src/graph/proto/onnx-ml_pb.js';

export type OnnxNode = MessageInitShape<typeof NodeProtoSchema>;
export type OnnxTensor = MessageInitShape<typeof TensorProtoSchema>;

export interface OnnxPort {
  readonly name: string;
  /** TensorProto.DataType: 1 float32, 6 int32, 7 int64, 9 bool, 10 float16. */
  readonly type: number;
  readonly shape: readonly (number | string)[];
}

export interface OnnxModel {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly nodes: readonly OnnxNode[];
  readonly tensors?: readonly OnnxTensor[];
  readonly opset?: number;
  readonly irVersion?: number;
  readonly more?: Partial<Pick<ModelProto, 'producerName' | 'functions'>> & {
    readonly opsets?: Readonly<Record<string, number>>;
  };
}

export function toOnnx({
  inputs,
  outputs,
  nodes,
  tensors = [],
  opset = 17,
  irVersion = 8,
  more: { opsets = {}, ...more } = {},
}: OnnxModel): Uint8Array {
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    opsetImport: Object.entries({ '': opset, ...opsets }).map(([domain, version]) => ({
      domain,
      version: BigInt(version),
    })),
    graph: {
      name: 'test',
      input: inputs.map(toPort),
      output: outputs.map(toPort),
      node: [...nodes],
      initializer: [...tensors],
    },
    ...more,
  });
  return toBinary(ModelProtoSchema, model);
}

/** Writes a model folder of one ONNX file. */
export function writeOnnx(folder: string, model: OnnxModel, file = 'model.onnx', config: object = {}): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), toOnnx(model));
  const own = { model_type: 'unheard-of', vocab_size: 10, max_position_embeddings: 64, ...config };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(own));
}

/** A float32 tensor whose numbers stand in `rawData`. */
export function floats(name: string, dims: readonly number[], values: readonly number[]): OnnxTensor {
  return { name, dataType: 1, dims: dims.map(BigInt), rawData: new Uint8Array(Float32Array.from(values).buffer) };
}

export function toPort({ name, type, shape }: OnnxPort) {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: size },
  }));
  return { name, type: { value: { case: 'tensorType' as const, value: { elemType: type, shape: { dim } } } } };
}
