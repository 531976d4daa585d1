import { type FileCursor, quote, WeightFileError } from './file-reader.ts';

/**
 * A value of a pickle as inert data: tuples and lists are arrays, dictionaries are maps, and an object of a class is
 * whatever the table of globals makes of its arguments.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PickleValue[]
  | PickleMap
  | PickleGlobal
  | PickleObject;

export type PickleMap = Map<PickleValue, PickleValue>;

/** A class or function that the file names. */
export interface PickleGlobal {
  readonly kind: 'global';
  /** `module.name` */
  readonly name: string;
}

/** What a global of the table made; the caller's own kinds. */
export interface PickleObject {
  readonly kind: 'object';
  readonly value: object;
}

export interface PickleRules {
  /** What a call of each allowed global gives; one that is `undefined` may be named and not called. */
  readonly globals: ReadonlyMap<string, ((args: readonly PickleValue[]) => PickleValue) | undefined>;
  /** What a persistent id stands for. */
  readonly load: (id: PickleValue) => PickleValue;
}

// Names and shapes alone: the largest checkpoints have a few hundred KB. A byte can make a map of some 200 bytes.
const maxPickleBytes = 2_000_000;
const maxIntegerBytes = 16; // the longest that PyTorch writes is its magic number of 10

/**
 * Reads one pickle and leaves the cursor behind it. Nothing is imported or called: a global outside the table is
 * refused by name. Protocols 0 to 5 as far as a state dict needs them. Work and memory grow with the bytes of the file
 * alone. Format: Python's pickletools.
 * @throws WeightFileError
 */
export function readPickle(cursor: FileCursor, rules: PickleRules): PickleValue {
  return new Unpickler(cursor, rules).run();
}

const mark = Symbol('mark');

class Unpickler {
  readonly #cursor: FileCursor;
  readonly #rules: PickleRules;
  readonly #lastByte: number;
  readonly #stack: (PickleValue | typeof mark)[] = [];
  readonly #memo = new Map<number, PickleValue>();

  constructor(cursor: FileCursor, rules: PickleRules) {
    this.#cursor = cursor;
    this.#rules = rules;
    this.#lastByte = cursor.position + maxPickleBytes;
  }

  run(): PickleValue {
    for (;;) {
      const at = this.#cursor.position;
      if (at > this.#lastByte) throw this.#broken(`at most ${maxPickleBytes} bytes`, 'more');
      const opcode = this.#cursor.byte();
      if (opcode === 0x2e) return this.pop(); // STOP
      const run = opcodes[opcode];
      if (run === undefined) throw this.#broken('the opcodes of a state dict', `0x${opcode.toString(16)} at ${at}`);
      run(this);
    }
  }

  take(bytes: number | bigint): Buffer {
    if (bytes > maxPickleBytes) throw this.#broken(`at most ${maxPickleBytes} bytes`, Number(bytes));
    return this.#cursor.take(Number(bytes));
  }

  /** A text up to the end of its line, as protocol 0 writes. */
  line(): string {
    const bytes: number[] = [];
    for (let byte = this.#cursor.byte(); byte !== 0x0a; byte = this.#cursor.byte()) {
      if (bytes.push(byte) > 1000) throw this.#broken('lines of at most 1000 bytes', 'more');
    }
    return Buffer.from(bytes).toString('utf8');
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pushMark(): void {
    this.#stack.push(mark);
  }

  /** Little endian, two's complement. */
  pushInteger(bytes: number): void {
    if (bytes > maxIntegerBytes) throw this.#broken(`integers of at most ${maxIntegerBytes} bytes`, bytes);
    const value = [...this.take(bytes)].reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
    this.push(toInteger(BigInt.asIntN(8 * bytes, value)));
  }

  pushIntegerLine(): void {
    const text = this.line().replace(/L$/, '');
    if (text === '00' || text === '01') return this.push(text === '01'); // protocol 0 writes booleans so
    if (!/^-?\d{1,40}$/.test(text)) throw this.#broken('a whole number', text);
    this.push(toInteger(BigInt(text)));
  }

  /** The last `count` values as a tuple. */
  pushTuple(count: number): void {
    const values = Array.from({ length: count }, () => this.pop());
    this.push(values.reverse());
  }

  pushMarked(): void {
    this.push(this.popMarked());
  }

  pushMarkedMap(): void {
    const values = this.popMarked();
    const map: PickleMap = new Map();
    this.push(map);
    this.#setItems(map, values);
  }

  popMarked(): PickleValue[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw this.#broken('a mark', 'none');
    const values = this.#stack.splice(at) as (PickleValue | symbol)[];
    return values.slice(1) as PickleValue[]; // the last mark is at `at`: none follows it
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw this.#broken('a value on the stack', 'none');
    return value as PickleValue; // marks are gone
  }

  append(values: readonly PickleValue[]): void {
    const list = this.#peek();
    if (!Array.isArray(list)) throw this.#broken('a list to append to', describe(list));
    for (const value of values) (list as PickleValue[]).push(value); // an array that this reader made
  }

  setItems(values: readonly PickleValue[]): void {
    const map = this.#peek();
    if (!(map instanceof Map)) throw this.#broken('a dictionary to fill', describe(map));
    this.#setItems(map, values);
  }

  memoize(key = this.#memo.size): void {
    this.#memo.set(key, this.#peek());
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.#broken('a value remembered before', key);
    this.push(value);
  }

  /** @throws WeightFileError for every global outside the table */
  pushGlobal(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw this.#broken('the name of a global', describe(module));
    const path = `${module}.${name}`;
    if (!this.#rules.globals.has(path))
      throw new WeightFileError(
        `Expected a state dict of tensors; ${this.#cursor.reader.path} wants to use ${quote(path)}, which is refused.`,
      );
    this.push({ kind: 'global', name: path });
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop();
    const make = isGlobal(callee) ? this.#rules.globals.get(callee.name) : undefined;
    if (make === undefined || !Array.isArray(args)) throw this.#broken('a call of an allowed global', describe(callee));
    this.push(make(args));
  }

  loadPersistent(): void {
    this.push(this.#rules.load(this.pop()));
  }

  refuseInstance(module: string, name: string): void {
    this.pushGlobal(module, name);
    throw this.#broken('no instances of classes', `${module}.${name}`);
  }

  #setItems(map: PickleMap, values: readonly PickleValue[]): void {
    if (values.length % 2 !== 0) throw this.#broken('a value for every key', 'none for the last');
    for (let at = 0; at < values.length; at += 2) map.set(values[at]!, values[at + 1]!); // the length is even
  }

  #peek(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === mark) throw this.#broken('a value on the stack', 'none');
    return value as PickleValue; // marks are gone
  }

  #broken(expected: string, got: unknown): WeightFileError {
    return new WeightFileError(
      `The pickle of ${this.#cursor.reader.path} is no state dict: expected ${expected}, got ${quote(got)}.`,
    );
  }
}

/** By the byte that stands for each; names as in Python's pickletools. What is not here is refused. */
const opcodes: Readonly<Record<number, (machine: Unpickler) => void>> = {
  0x80: (m) => void m.take(1), // PROTO
  0x95: (m) => void m.take(8), // FRAME
  0x28: (m) => m.pushMark(), // MARK
  0x30: (m) => void m.pop(), // POP
  0x31: (m) => void m.popMarked(), // POP_MARK
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x49: (m) => m.pushIntegerLine(), // INT
  0x4c: (m) => m.pushIntegerLine(), // LONG
  0x4a: (m) => m.push(m.take(4).readInt32LE()), // BININT
  0x4b: (m) => m.push(m.take(1).readUInt8()), // BININT1
  0x4d: (m) => m.push(m.take(2).readUInt16LE()), // BININT2
  0x8a: (m) => m.pushInteger(m.take(1).readUInt8()), // LONG1
  0x46: (m) => m.push(Number(m.line())), // FLOAT
  0x47: (m) => m.push(m.take(8).readDoubleBE()), // BINFLOAT
  0x56: (m) => m.push(m.line()), // UNICODE
  0x58: (m) => m.push(m.take(m.take(4).readUInt32LE()).toString('utf8')), // BINUNICODE
  0x8c: (m) => m.push(m.take(m.take(1).readUInt8()).toString('utf8')), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.take(m.take(8).readBigUInt64LE()).toString('utf8')), // BINUNICODE8
  0x54: (m) => m.push(m.take(m.take(4).readUInt32LE()).toString('utf8')), // BINSTRING, of Python 2
  0x55: (m) => m.push(m.take(m.take(1).readUInt8()).toString('utf8')), // SHORT_BINSTRING
  0x42: (m) => m.push(m.take(m.take(4).readUInt32LE()).toString('latin1')), // BINBYTES
  0x43: (m) => m.push(m.take(m.take(1).readUInt8()).toString('latin1')), // SHORT_BINBYTES
  0x29: (m) => m.pushTuple(0), // EMPTY_TUPLE
  0x85: (m) => m.pushTuple(1), // TUPLE1
  0x86: (m) => m.pushTuple(2), // TUPLE2
  0x87: (m) => m.pushTuple(3), // TUPLE3
  0x74: (m) => m.pushMarked(), // TUPLE
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x6c: (m) => m.pushMarked(), // LIST
  0x61: (m) => m.append([m.pop()]), // APPEND
  0x65: (m) => m.append(m.popMarked()), // APPENDS
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x64: (m) => m.pushMarkedMap(), // DICT
  0x73: (m) => {
    const value = m.pop();
    m.setItems([m.pop(), value]);
  }, // SETITEM
  0x75: (m) => m.setItems(m.popMarked()), // SETITEMS
  0x71: (m) => m.memoize(m.take(1).readUInt8()), // BINPUT
  0x72: (m) => m.memoize(m.take(4).readUInt32LE()), // LONG_BINPUT
  0x70: (m) => m.memoize(Number(m.line())), // PUT
  0x94: (m) => m.memoize(), // MEMOIZE
  0x68: (m) => m.recall(m.take(1).readUInt8()), // BINGET
  0x6a: (m) => m.recall(m.take(4).readUInt32LE()), // LONG_BINGET
  0x67: (m) => m.recall(Number(m.line())), // GET
  0x63: (m) => m.pushGlobal(m.line(), m.line()), // GLOBAL
  0x93: (m) => {
    const name = m.pop();
    m.pushGlobal(m.pop(), name);
  }, // STACK_GLOBAL
  0x69: (m) => m.refuseInstance(m.line(), m.line()), // INST
  0x52: (m) => m.call(), // REDUCE
  0x62: (m) => void m.pop(), // BUILD: attributes of a dictionary or tensor, such as _metadata; nothing here needs them
  0x51: (m) => m.loadPersistent(), // BINPERSID
};

function toInteger(value: bigint): number | bigint {
  return BigInt.asIntN(54, value) === value ? Number(value) : value;
}

export function isGlobal(value: PickleValue): value is PickleGlobal {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'global';
}

function describe(value: PickleValue): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a dictionary';
  return isGlobal(value) ? value.name : typeof value;
}
