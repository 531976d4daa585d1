import { Buffer } from 'node:buffer';

export interface ZipFile {
  readonly name: string;
  readonly data: Uint8Array;
  /** 0 is stored as it is; 8 is deflated. */
  readonly method?: number;
  readonly flags?: number;
  /** What the directory says instead of the truth. */
  readonly lie?: {
    readonly name?: string;
    readonly bytes?: number;
    readonly storedBytes?: number;
    readonly offset?: number;
  };
}

/** A zip archive, right or wrong. With `is64` every size stands in zip64 fields. */
export function toZip(files: readonly ZipFile[], { is64 = false, comment = '' } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 0, flags = 0, lie = {} } of files) {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    local.writeUInt16LE(5, 28); // padding in an extra field, as PyTorch aligns its storages
    parts.push(local, Buffer.from(name), Buffer.from('FB\x01\x00\x00'), Buffer.from(data));
    directory.push(
      centralHeader({ name, method, flags, bytes: data.length, storedBytes: data.length, offset: at, ...lie }, is64),
    );
    at += 35 + Buffer.byteLength(name) + data.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([
    ...parts,
    central,
    endOf({ count: files.length, bytes: central.length, offset: at, is64, comment }),
  ]);
}

interface Header {
  readonly name: string;
  readonly method: number;
  readonly flags: number;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly offset: number;
}

function centralHeader({ name, method, flags, bytes, storedBytes, offset }: Header, is64: boolean): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(method, 10);
  header.writeUInt32LE(is64 ? 0xffffffff : storedBytes, 20);
  header.writeUInt32LE(is64 ? 0xffffffff : bytes, 24);
  header.writeUInt32LE(is64 ? 0xffffffff : offset, 42);
  header.writeUInt16LE(Buffer.byteLength(name), 28);
  const extra = is64
    ? Buffer.concat([Buffer.from([1, 0, 24, 0]), u64(bytes), u64(storedBytes), u64(offset)])
    : Buffer.alloc(0);
  header.writeUInt16LE(extra.length, 30);
  return Buffer.concat([header, Buffer.from(name), extra]);
}

interface End {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
  readonly is64: boolean;
  readonly comment: string;
}

function endOf({ count, bytes, offset, is64, comment }: End): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(is64 ? 0xffff : count, 10);
  end.writeUInt32LE(is64 ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(is64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(comment.length, 20);
  const tail = Buffer.concat([end, Buffer.from(comment)]);
  if (!is64) return tail;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50);
  end64.set(u64(count), 32);
  end64.set(u64(bytes), 40);
  end64.set(u64(offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50);
  locator.set(u64(offset + bytes), 8);
  return Buffer.concat([end64, locator, tail]);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
