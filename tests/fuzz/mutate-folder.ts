import fc from 'fast-check';
import type { FolderFiles } from './folder-files.ts';
import { hostilePaths, hostileValues } from './hostile-values.ts';
import { mutateJson, type JsonChange } from './mutate-json.ts';

/** One model folder with a few things wrong. Every number is taken modulo what there is. */
export interface Plan {
  readonly seed: number;
  readonly isSnapshot: boolean;
  readonly pooling: 'mean' | 'model';
  readonly changes: readonly Change[];
}

type Change =
  | ({ readonly of: 'json'; readonly file: number; readonly valueAt: number } & Omit<JsonChange, 'value'>)
  | {
      readonly of: 'bytes';
      readonly file: number;
      readonly kind: 'flip' | 'cut' | 'insert' | 'length' | 'empty' | 'zeros';
      readonly at: number;
      readonly value: number;
    }
  | {
      readonly of: 'folder';
      readonly file: number;
      readonly kind: 'remove' | 'link' | 'link-to-sibling' | 'exchange' | 'borrow' | 'rename';
      readonly other: number;
    };

/** What the plans of a run draw from. */
export interface Materials {
  readonly seeds: readonly FolderFiles[];
  readonly outside: string;
}

const place = fc.nat({ max: 2 ** 31 - 1 });

const jsonChange = fc.record({
  of: fc.constant('json' as const),
  file: place,
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('replace' as const) },
    { weight: 1, arbitrary: fc.constantFrom('delete' as const, 'add' as const, 'duplicate' as const, 'swap' as const) },
  ),
  at: place,
  other: place,
  valueAt: place,
});
const byteChange = fc.record({
  of: fc.constant('bytes' as const),
  file: place,
  kind: fc.constantFrom('flip', 'flip', 'flip', 'cut', 'insert', 'length', 'length', 'empty', 'zeros'),
  at: place,
  value: place,
});
const folderChange = fc.record({
  of: fc.constant('folder' as const),
  file: place,
  kind: fc.constantFrom('remove', 'link', 'link', 'link-to-sibling', 'exchange', 'borrow', 'rename'),
  other: place,
});

export const anyPlan: fc.Arbitrary<Plan> = fc.record({
  seed: place,
  isSnapshot: fc.boolean(),
  pooling: fc.constantFrom('mean', 'model'),
  changes: fc.array(
    fc.oneof(
      { weight: 6, arbitrary: jsonChange },
      { weight: 3, arbitrary: byteChange },
      { weight: 1, arbitrary: folderChange },
    ),
    { minLength: 1, maxLength: 4 },
  ),
});

/** The files that a plan asks for. */
export function applyPlan({ seed, changes }: Plan, materials: Materials): FolderFiles {
  const { seeds } = materials;
  const files: FolderFiles = new Map(seeds[seed % seeds.length]);
  for (const change of changes) {
    if (files.size === 0) return files;
    if (change.of === 'json') changeJson(files, change, materials);
    else if (change.of === 'bytes') changeBytes(files, change);
    else changeFolder(files, change, materials);
  }
  return files;
}

function changeJson(files: FolderFiles, change: Extract<Change, { of: 'json' }>, { outside }: Materials): void {
  const [path, content] = pick(
    [...files].filter(([name]) => name.endsWith('.json') || name.endsWith('.safetensors')),
    change.file,
  ) ?? ['', ''];
  if (typeof content === 'string') return;
  const values = hostileValues(outside);
  const full: JsonChange = { ...change, value: values[change.valueAt % values.length] };
  try {
    const mutated = path.endsWith('.safetensors')
      ? withMutatedHeader(content, full)
      : Buffer.from(mutateJson(JSON.parse(content.toString()), full));
    files.set(path, mutated);
  } catch {
    // Broken already by an earlier change: it stays as it is.
  }
}

function withMutatedHeader(content: Buffer, change: JsonChange): Buffer {
  const size = Number(content.readBigUInt64LE(0));
  const header = Buffer.from(mutateJson(JSON.parse(content.toString('utf8', 8, 8 + size)), change));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, content.subarray(8 + size)]);
}

const extremes = [0n, 1n, 0x7fn, 0xffn, 0xffffn, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

function changeBytes(files: FolderFiles, { file, kind, at, value }: Extract<Change, { of: 'bytes' }>): void {
  const [path, content] = pick([...files], file) ?? ['', ''];
  if (typeof content === 'string' || content.length === 0) return;
  const bytes = Buffer.from(content);
  // Half of the places are near one of the ends, where headers and directories are.
  const position =
    at % 4 === 0
      ? value % bytes.length
      : at % 4 === 1
        ? bytes.length - 1 - (at % Math.min(200, bytes.length))
        : at % Math.min(400, bytes.length);
  switch (kind) {
    case 'flip':
      bytes.writeUInt8(bytes.readUInt8(position) ^ (1 << (value % 8)), position);
      files.set(path, bytes);
      return;
    case 'cut':
      files.set(path, bytes.subarray(0, position));
      return;
    case 'insert':
      files.set(
        path,
        Buffer.concat([
          bytes.subarray(0, position),
          Buffer.alloc(1 + (value % 64), value % 256),
          bytes.subarray(position),
        ]),
      );
      return;
    case 'length': {
      const size = [1, 2, 4, 8][value % 4]!;
      if (bytes.length < size) return;
      const extreme = BigInt.asUintN(size * 8, extremes[at % extremes.length]!);
      const start = Math.min(value % 3 === 0 ? 0 : position, bytes.length - size);
      for (let index = 0; index < size; index++) bytes[start + index] = Number((extreme >> BigInt(8 * index)) & 255n);
      files.set(path, bytes);
      return;
    }
    case 'empty':
      files.set(path, Buffer.alloc(0));
      return;
    case 'zeros':
      files.set(path, Buffer.alloc(bytes.length));
      return;
    default:
      kind satisfies never;
  }
}

function changeFolder(
  files: FolderFiles,
  { file, kind, other }: Extract<Change, { of: 'folder' }>,
  { seeds, outside }: Materials,
): void {
  const [path] = pick([...files], file)!; // the caller saw one
  const paths = hostilePaths(outside).filter((target) => !target.includes('\0') && target !== '');
  switch (kind) {
    case 'remove':
      files.delete(path);
      return;
    case 'link':
      files.set(path, paths[other % paths.length]!);
      return;
    case 'link-to-sibling': {
      const [sibling] = pick([...files], other)!;
      files.set(path, sibling);
      return;
    }
    case 'exchange': {
      const [sibling, content] = pick([...files], other)!;
      const own = files.get(path)!;
      files.set(path, content).set(sibling, own);
      return;
    }
    case 'borrow': {
      const [name, content] = pick([...seeds[other % seeds.length]!], file)!; // no seed is empty
      files.set(name, content);
      return;
    }
    case 'rename': {
      const endings = [
        'tokenizer.model',
        'spiece.model',
        'vocab.txt',
        'pytorch_model.bin',
        'model.onnx',
        'model.safetensors',
        'model.safetensors.index.json',
        'tokenizer.json',
      ];
      const content = files.get(path)!;
      files.delete(path);
      files.set(endings[other % endings.length]!, content);
      return;
    }
    default:
      kind satisfies never;
  }
}

function pick<T>(list: readonly T[], at: number): T | undefined {
  return list.length === 0 ? undefined : list[at % list.length];
}
