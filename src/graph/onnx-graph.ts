import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { TensorIndex, TensorView } from '../store/safetensors.ts';
import type { Attribute, Graph, GraphFormat, Initializer, Node, OnnxFunction, Port } from './graph.ts';
import { OnnxGraphError, toInitializer } from './onnx-tensor.ts';
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  ValueInfoProto,
} from './proto/onnx-ml_pb.js';
import { FunctionProtoSchema, ModelProtoSchema } from './proto/onnx-ml_pb.js';
import { dtypeOfCode, elementDTypes } from './types.ts';

const knownDomains: readonly string[] = ['', 'com.microsoft'];

/**
 * The graph of an ONNX file. `weights` are the initialisers that were taken out of `model`.
 * @throws OnnxGraphError
 */
export function parseOnnxGraph(model: Uint8Array, weights: TensorIndex): Graph {
  const proto = decode(model);
  if (proto.graph === undefined) throw new OnnxGraphError('Expected a graph in the ONNX file, got none.');
  const format = parseFormat(proto);
  const domains = knownDomains.concat(proto.functions.map(({ domain }) => toDomain(domain)));
  const graph = parseGraph(proto.graph, domains);
  checkFunctions(proto, domains);
  const initializers = [...graph.initializers, ...[...weights.values()].map(toWeight)];
  const constants = new Set(initializers.map(({ name }) => name));
  // Old files list every initialiser as an input too.
  return { ...graph, initializers, inputs: graph.inputs.filter(({ name }) => !constants.has(name)), format };
}

function decode(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new OnnxGraphError('Expected an ONNX model (protobuf).', { cause });
  }
}

function parseFormat({ irVersion, opsetImport, functions }: ModelProto): GraphFormat {
  const opsets = Object.fromEntries(opsetImport.map(({ domain, version }) => [toDomain(domain), Number(version)]));
  return { irVersion: Number(irVersion), opsets, functions: functions.map(toFunction) };
}

function toFunction(proto: FunctionProto): OnnxFunction {
  return { bytes: toBinary(FunctionProtoSchema, proto), operators: proto.node.map(({ opType }) => opType) };
}

/** Functions are passed on as they are, but no data file may come with them either. */
function checkFunctions({ functions }: ModelProto, domains: readonly string[]): void {
  for (const { attribute } of functions.flatMap(({ node }) => node))
    for (const each of attribute) if (each.refAttrName === '') toAttribute(each, domains); // else it stands for one of the caller
}

function parseGraph(proto: GraphProto, domains: readonly string[]): Graph {
  if (proto.sparseInitializer.length > 0) throw new OnnxGraphError('Expected dense initialisers, got sparse ones.');
  return {
    name: proto.name,
    inputs: proto.input.map(toPort),
    outputs: proto.output.map(toPort),
    nodes: proto.node.map((node) => toNode(node, domains)),
    initializers: proto.initializer.map((tensor) => toInitializer(tensor)),
  };
}

function toNode(proto: NodeProto, domains: readonly string[]): Node {
  const domain = toDomain(proto.domain);
  if (!domains.includes(domain))
    throw new OnnxGraphError(
      `Expected operators of ONNX or com.microsoft, got ${JSON.stringify(proto.opType)} of ${JSON.stringify(domain)}.`,
    );
  return {
    name: proto.name === '' ? (proto.output[0] ?? '') : proto.name,
    op: proto.opType,
    domain,
    inputs: proto.input,
    outputs: proto.output,
    attributes: Object.fromEntries(
      proto.attribute.map((attribute) => [attribute.name, toAttribute(attribute, domains)]),
    ),
  };
}

/** By AttributeProto.AttributeType; files before IR version 3 leave the type out. */
function toAttribute(proto: AttributeProto, domains: readonly string[]): Attribute {
  switch (proto.type) {
    case 1:
      return { kind: 'float', value: proto.f };
    case 2:
      return { kind: 'int', value: toNumber(proto.i) };
    case 3:
      return { kind: 'string', value: new TextDecoder().decode(proto.s) };
    case 4:
      if (proto.t !== undefined) return { kind: 'tensor', value: toInitializer(proto.t) };
      break;
    case 5:
      if (proto.g !== undefined) return { kind: 'graph', value: parseGraph(proto.g, domains) };
      break;
    case 6:
      return { kind: 'floats', value: proto.floats };
    case 7:
      return { kind: 'ints', value: proto.ints.map(toNumber) };
    case 8:
      return { kind: 'strings', value: proto.strings.map((text) => new TextDecoder().decode(text)) };
    default:
  }
  throw new OnnxGraphError(`Expected a number, text, tensor or graph as attribute ${JSON.stringify(proto.name)}.`);
}

/** The largest integers stand for "to the end" in Slice: clamped they still do. */
function toNumber(value: bigint): number {
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  if (value > limit) return Number.MAX_SAFE_INTEGER;
  return value < -limit ? Number.MIN_SAFE_INTEGER : Number(value);
}

function toPort({ name, type }: ValueInfoProto): Port {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  const dtype = tensor === undefined ? undefined : dtypeOfCode(tensor.elemType);
  if (tensor === undefined || dtype === undefined)
    throw new OnnxGraphError(`Expected a tensor of numbers as input or output ${JSON.stringify(name)}.`);
  const shape = tensor.shape?.dim.map(({ value }, axis) =>
    value.case === 'dimValue' ? Number(value.value) : (value.value ?? `${name}_${axis}`),
  );
  return { name, dtype, ...(shape === undefined ? {} : { shape }) };
}

function toWeight(view: TensorView): Initializer {
  const dtype = elementDTypes[view.type];
  if (dtype === undefined)
    throw new OnnxGraphError(`Expected numbers of a known type as ${JSON.stringify(view.name)}, got ${view.type}.`);
  return { name: view.name, dtype, shape: view.shape, data: { kind: 'checkpoint', view } };
}

/** `ai.onnx` is the long name of ONNX's own domain. */
function toDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}
