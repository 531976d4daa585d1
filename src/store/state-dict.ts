import { quote } from './file-reader.ts';
import { isGlobal, type PickleMap, type PickleRules, type PickleValue } from './pickle.ts';
import type { ElementType } from './safetensors.ts';

/** A tensor as a pickle of PyTorch describes it: a strided window of a storage. Counted in elements. */
export interface StoredTensor {
  readonly kind: 'tensor';
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A run of numbers of one type. Tied tensors share one. Counted in elements. */
export interface Storage {
  readonly kind: 'storage';
  readonly key: string;
  readonly type: ElementType;
  readonly length: number;
  /** Where it begins in the storage of `key`: not 0 for views that PyTorch below 0.4 wrote. */
  readonly start: number;
}

const storageTypes: Readonly<Record<string, ElementType>> = {
  'torch.DoubleStorage': 'F64',
  'torch.FloatStorage': 'F32',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL',
};

/** Objects that stand beside tensors in some state dicts; they may be named and mean nothing here. */
const dtypes = ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'];

const maxDimensions = 64; // as many as PyTorch allows
const maxPairs = 1_000_000; // the largest checkpoints have some thousand tensors

/**
 * The globals that a state dict may name, all of them as inert data. `fail` makes the error for arguments that do not
 * fit; `onStorage` hears of every storage met. Format: torch/serialization.py and torch/_utils.py.
 */
export function stateDictRules(
  fail: (what: string) => Error,
  onStorage: (storage: Storage) => void = () => {},
): PickleRules {
  const rebuildTensor = ([storage, offset, shape, strides]: readonly PickleValue[]): PickleValue => {
    const value = objectOf(storage);
    if (
      !isStorage(value) ||
      !isNatural(offset) ||
      !isShape(shape) ||
      !isShape(strides) ||
      shape.length !== strides.length
    )
      throw fail(`expected a storage, an offset, at most ${maxDimensions} sizes and as many strides for each tensor`);
    return toObject({ kind: 'tensor', storage: value, offset, shape: [...shape], strides: [...strides] });
  };
  const load = (id: PickleValue): PickleValue => {
    const [kind, type, key, , length, view] = Array.isArray(id) ? (id as readonly PickleValue[]) : [];
    const elementType = isGlobal(type ?? null) ? storageTypes[(type as { name: string }).name] : undefined; // a global has a name
    if (kind !== 'storage' || elementType === undefined || typeof key !== 'string' || !isNatural(length))
      throw fail('expected a storage with a type, a key and a length for each persistent id');
    const whole: Storage = { kind: 'storage', key, type: elementType, length, start: 0 };
    onStorage(whole);
    if (!Array.isArray(view)) return toObject(whole);
    const [, start, viewLength] = view as readonly PickleValue[];
    if (!isNatural(start) || !isNatural(viewLength))
      throw fail('expected a start and a length for each view of a storage');
    return toObject({ ...whole, length: viewLength, start });
  };
  let pairs = 0;
  /** Of a list of pairs, as Python 2 wrote it. One list may be named many times, so the copies are counted. */
  const toMap = ([items = []]: readonly PickleValue[]): PickleValue => {
    const list = Array.isArray(items) ? (items as readonly PickleValue[]) : undefined;
    pairs += list?.length ?? 0;
    if (list === undefined || pairs > maxPairs)
      throw fail(`expected at most ${maxPairs} pairs for ordered dictionaries`);
    return new Map(
      list.map((pair) => {
        if (!Array.isArray(pair) || pair.length !== 2) throw fail('expected pairs for an ordered dictionary');
        return pair as unknown as [PickleValue, PickleValue]; // its length is 2
      }),
    );
  };
  const first = ([value]: readonly PickleValue[]): PickleValue => value ?? null;
  return {
    load,
    globals: new Map([
      ['torch._utils._rebuild_tensor_v2', rebuildTensor],
      ['torch._utils._rebuild_tensor', rebuildTensor],
      ['torch._utils._rebuild_parameter', first],
      ['torch._utils._rebuild_parameter_with_state', first],
      ['torch.Size', first],
      ['collections.OrderedDict', toMap],
      ...Object.keys(storageTypes).map((name) => [name, undefined] as const),
      ...dtypes.map((name) => [`torch.${name}`, undefined] as const),
    ]),
  };
}

/** The tensors of a state dict by name; values of other kinds are left out. One wrapper of a training loop is seen through. */
export function tensorsOf(value: PickleValue, fail: (what: string) => Error): ReadonlyMap<string, StoredTensor> {
  if (!(value instanceof Map)) throw fail('expected a dictionary of tensors');
  const tensors = directTensorsOf(value);
  if (tensors.size > 0) return tensors;
  for (const wrapper of ['state_dict', 'model_state_dict', 'model', 'module']) {
    const inner = value.get(wrapper);
    if (inner instanceof Map && directTensorsOf(inner).size > 0) return directTensorsOf(inner);
  }
  // Texts alone: a tuple may hold itself a million times over.
  const keys = [...value.keys()].filter((key) => typeof key === 'string').slice(0, 8);
  throw fail(`expected a dictionary of tensors, got one with the keys ${quote(keys)}`);
}

function directTensorsOf(map: PickleMap): ReadonlyMap<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, value] of map) {
    const object = objectOf(value);
    if (typeof name === 'string' && isTensor(object)) tensors.set(name, object);
  }
  return tensors;
}

function toObject(value: Storage | StoredTensor): PickleValue {
  return { kind: 'object', value };
}

function objectOf(value: PickleValue | undefined): object | undefined {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'object'
    ? value.value
    : undefined;
}

function isStorage(value: object | undefined): value is Storage {
  return value !== undefined && 'kind' in value && value.kind === 'storage';
}

function isTensor(value: object | undefined): value is StoredTensor {
  return value !== undefined && 'kind' in value && value.kind === 'tensor';
}

function isNatural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0; // a safe integer is a number
}

/** The length is asked first: one long list may stand for the shape of many tensors. */
function isShape(value: PickleValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.length <= maxDimensions && value.every(isNatural);
}
