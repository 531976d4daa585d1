import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { basename } from 'node:path';
import type { Attribute, Graph, GraphFormat, Initializer, Node, Port } from './graph.ts';
import type { AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto } from './proto/onnx-ml_pb.js';
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from './proto/onnx-ml_pb.js';
import { typeCodes } from './types.ts';

/** What our own nodes are written in. */
const ownFormat: GraphFormat = {
  irVersion: 10, // the first that knows opset 21
  opsets: { '': 21, 'com.microsoft': 1 },
  functions: [],
};
const externalLocation = 1; // TensorProto.DataLocation.EXTERNAL
/** ONNX's AttributeProto.AttributeType numbers. */
const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

/**
 * Writes the graph as an ONNX model. Weights stay in their checkpoint files: the model names each file without its
 * folder, so the runtime must be told the one folder that holds them.
 * Format: onnx-ml.proto beside the generated code.
 */
export function serialize(graph: Graph): Uint8Array {
  const { irVersion, opsets, functions } = graph.format ?? ownFormat;
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(Math.max(irVersion, ownFormat.irVersion)),
    producerName: 'embeddings',
    opsetImport: Object.entries({ ...ownFormat.opsets, ...opsets }).map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    functions: functions.map(({ bytes }) => fromBinary(FunctionProtoSchema, bytes)),
    graph: toGraphProto(graph),
  });
  return toBinary(ModelProtoSchema, model);
}

function toGraphProto(graph: Graph): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name,
    node: graph.nodes.map(toNodeProto),
    input: graph.inputs.map(toValueInfo),
    output: graph.outputs.map(toValueInfo),
    initializer: graph.initializers.map(toTensorProto),
  });
}

function toNodeProto(node: Node): NodeProto {
  return create(NodeProtoSchema, {
    name: node.name,
    opType: node.op,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) => toAttributeProto(name, attribute)),
  });
}

function toAttributeProto(name: string, attribute: Attribute): AttributeProto {
  const base = { name, type: attributeTypes[attribute.kind] };
  switch (attribute.kind) {
    case 'int':
      return create(AttributeProtoSchema, { ...base, i: BigInt(attribute.value) });
    case 'float':
      return create(AttributeProtoSchema, { ...base, f: attribute.value });
    case 'ints':
      return create(AttributeProtoSchema, { ...base, ints: attribute.value.map(BigInt) });
    case 'floats':
      return create(AttributeProtoSchema, { ...base, floats: [...attribute.value] });
    case 'string':
      return create(AttributeProtoSchema, { ...base, s: new TextEncoder().encode(attribute.value) });
    case 'strings':
      return create(AttributeProtoSchema, {
        ...base,
        strings: attribute.value.map((text) => new TextEncoder().encode(text)),
      });
    case 'tensor':
      return create(AttributeProtoSchema, { ...base, t: toTensorProto(attribute.value) });
    case 'graph':
      return create(AttributeProtoSchema, { ...base, g: toGraphProto(attribute.value) });
    default:
      return attribute satisfies never;
  }
}

function toValueInfo(port: Port): ValueInfoProto {
  const dim = port.shape?.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === 'number' ? { case: 'dimValue', value: BigInt(size) } : { case: 'dimParam', value: size },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, { elemType: typeCodes[port.dtype] });
  if (dim !== undefined) tensor.shape = create(TensorShapeProtoSchema, { dim });
  return create(ValueInfoProtoSchema, {
    name: port.name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}

function toTensorProto({ name, dtype, shape, data }: Initializer): TensorProto {
  const base = { name, dataType: typeCodes[dtype], dims: shape.map(BigInt) };
  if (data.kind === 'inline') return create(TensorProtoSchema, { ...base, rawData: data.bytes });
  if (data.kind === 'derived') throw new Error(`The tensor ${name} is not made yet. This is a bug.`);
  const { file, offset, byteLength, bytes } = data.view;
  if (bytes !== undefined) return create(TensorProtoSchema, { ...base, rawData: bytes });
  const entries = { location: basename(file), offset: String(offset), length: String(byteLength) };
  return create(TensorProtoSchema, {
    ...base,
    dataLocation: externalLocation,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
}
