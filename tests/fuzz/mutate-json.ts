import { hostileKeys, nesting } from './hostile-values.ts';

/** One change of a JSON document. Every number is taken modulo what there is. */
export interface JsonChange {
  readonly kind: 'replace' | 'delete' | 'add' | 'duplicate' | 'swap';
  readonly at: number;
  readonly other: number;
  readonly value: unknown;
}

type Holder = Record<string, unknown>;

interface Place {
  readonly holder: Holder;
  readonly key: string;
}

const maxPerHolder = 40; // of a vocabulary only the first: the rest is more of the same
const depthOfNesting = 20_000;

/** The text of a JSON document with one thing wrong. */
export function mutateJson(json: unknown, change: JsonChange): string {
  const root: Holder = { root: structuredClone(json) };
  const places = listPlaces(root);
  const { holder, key } = places[change.at % places.length]!; // the root is one
  const other = places[change.other % places.length]!;
  switch (change.kind) {
    case 'replace':
      define(holder, key, change.value);
      break;
    case 'delete':
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else if (key !== 'root') delete holder[key];
      break;
    case 'add': {
      const goal = holder[key];
      const name = hostileKeys[change.other % hostileKeys.length]!;
      if (Array.isArray(goal)) goal.push(change.value);
      else if (typeof goal === 'object' && goal !== null) define(goal as Holder, name, change.value);
      break;
    }
    case 'swap': {
      const value = structuredClone(holder[key]); // one may hold the other
      define(holder, key, structuredClone(other.holder[other.key]));
      define(other.holder, other.key, value);
      break;
    }
    case 'duplicate':
      return duplicateKey(toText(root['root']), change);
    default:
      change.kind satisfies never;
  }
  return toText(root['root']);
}

/** A second value for the first key of the document, behind all others: the one that counts. */
function duplicateKey(text: string, { value }: JsonChange): string {
  const [, key] = /^\{("(?:[^"\\]|\\.)*"):/.exec(text) ?? [];
  return key === undefined ? text : `${text.slice(0, -1)},${key}:${toText(value)}}`;
}

function listPlaces(root: Holder): readonly Place[] {
  const places: Place[] = [];
  const walk = (holder: Holder, depth: number): void => {
    for (const key of Object.keys(holder).slice(0, maxPerHolder)) {
      places.push({ holder, key });
      const value = holder[key];
      if (typeof value === 'object' && value !== null && depth < 12) walk(value as Holder, depth + 1); // not a list of lists of lists
    }
  };
  walk(root, 0);
  return places;
}

/** Also for `__proto__`, which an assignment would take for something else. */
function define(holder: Holder, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function toText(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replaceAll(JSON.stringify(nesting), () => '['.repeat(depthOfNesting) + ']'.repeat(depthOfNesting));
}
