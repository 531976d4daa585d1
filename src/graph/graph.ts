import type { TensorView } from '../store/safetensors.ts';

/** A computation as plain data, which a structured clone keeps: nodes in execution order over named values. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Node[];
  readonly initializers: readonly Initializer[];
  /** The version of ONNX of a graph that came out of a file; ours when absent. */
  readonly format?: GraphFormat;
}

export interface GraphFormat {
  readonly irVersion: number;
  /** Version of each operator set by domain; '' is ONNX itself. */
  readonly opsets: Readonly<Record<string, number>>;
  /** Operators that the file defines itself. */
  readonly functions: readonly OnnxFunction[];
}

export interface OnnxFunction {
  /** FunctionProto of onnx-ml.proto. */
  readonly bytes: Uint8Array;
  /** The operators it is made of. */
  readonly operators: readonly string[];
}

export type DType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool';

/** A number, or the name of a size known only when the graph runs. */
export type Dimension = number | string;

/** A named, typed value at the edge of a graph. */
export interface Port {
  readonly name: string;
  readonly dtype: DType;
  /** Inferred where it is absent. */
  readonly shape?: readonly Dimension[];
}

export interface Node {
  /** Path of the module in the checkpoint, then the operator: `encoder.layer.0.output.dense/Gemm`. */
  readonly name: string;
  readonly op: string;
  /** '' is ONNX itself; 'com.microsoft' holds the fused operators of ONNX Runtime; others only in graphs out of files. */
  readonly domain: string;
  /** '' stands for an optional input that is absent. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Of every output; unknown for nodes out of a file. */
  readonly dtype?: DType;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Initializer }
  | { readonly kind: 'graph'; readonly value: Graph };

export interface Initializer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data:
    | { readonly kind: 'inline'; readonly bytes: Uint8Array }
    /** A byte range of a checkpoint file, mapped by the runtime. */
    | { readonly kind: 'checkpoint'; readonly view: TensorView }
    /** Made from tensors of the checkpoint before the graph is loaded. */
    | { readonly kind: 'derived' };
}

export function int(value: number): Attribute {
  return { kind: 'int', value };
}

export function float(value: number): Attribute {
  return { kind: 'float', value };
}

export function ints(value: readonly number[]): Attribute {
  return { kind: 'ints', value };
}

export function string(value: string): Attribute {
  return { kind: 'string', value };
}

export function subgraph(value: Graph): Attribute {
  return { kind: 'graph', value };
}
