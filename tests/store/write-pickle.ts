/** Pickles by hand: each function gives the opcodes that put one value on the stack. */
export const proto = Buffer.from([0x80, 2]);
export const stop = Buffer.from('.');
export const none = Buffer.from('N');
export const mark = Buffer.from('(');
export const emptyTuple = Buffer.from(')');
export const reduce = Buffer.from('R');

export function pickle(...parts: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat([
    proto,
    ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
    stop,
  ]);
}

export function text(value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(value));
  return Buffer.concat([Buffer.from('X'), length, Buffer.from(value)]);
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write('J');
  bytes.writeInt32LE(value, 1);
  return bytes;
}

export function long(value: bigint, bytes = 8): Buffer {
  const digits = Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
  return Buffer.from([0x8a, bytes, ...digits]);
}

export function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

export function tuple(...items: readonly Buffer[]): Buffer {
  return Buffer.concat([mark, ...items, Buffer.from('t')]);
}

export function list(...items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(']('), ...items, Buffer.from('e')]);
}

export function dict(...items: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from('}('), ...items, Buffer.from('u')]);
}

export function call(callee: Buffer, ...args: readonly Buffer[]): Buffer {
  return Buffer.concat([callee, tuple(...args), reduce]);
}

export interface PickledTensor {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly key?: string;
  readonly type?: string;
  /** Of the storage, in elements. */
  readonly length?: number;
  readonly offset?: number;
}

/** A tensor as PyTorch writes it. */
export function tensor({
  shape,
  strides,
  key = '0',
  type = 'FloatStorage',
  length = 6,
  offset = 0,
}: PickledTensor): Buffer {
  const storage = tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(length));
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    Buffer.concat([storage, Buffer.from('Q')]),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    Buffer.from([0x89]),
    call(global('collections', 'OrderedDict')),
  );
}
