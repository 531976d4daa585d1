import { posix } from 'node:path';

/**
 * The arrows of the design: what each folder (or file at the root of `src`) may import besides itself.
 * A row's entry is a folder or one file; `types:` before it lets only types through.
 */
const arrows: Record<string, readonly string[] | 'everything'> = {
  http: [
    'request',
    'vectors',
    'metrics',
    'types:models/model-card.ts',
    'errors.ts',
    'config.ts',
    'types:embed.ts',
    'access',
    'tracing/timeline.ts',
    'types:tracing/tracer.ts',
    'types:limits',
    'util',
  ],
  limits: ['access', 'errors.ts', 'util'],
  access: ['errors.ts', 'util'],
  request: ['types:tracing', 'errors.ts', 'util'],
  tokenizer: ['types:request', 'errors.ts', 'util'],
  scheduler: [
    'types:engine/engine.ts',
    'types:engine/replica.ts',
    'types:request/origin.ts',
    'vectors',
    'errors.ts',
    'metrics',
    'util',
  ],
  engine: ['graph', 'models', 'store', 'vectors', 'types:scheduler/batch.ts', 'errors.ts', 'util'],
  serving: [
    'types:request/origin.ts',
    'tokenizer',
    'scheduler',
    'engine',
    'models',
    'graph',
    'quantization',
    'types:store',
    'store/hub/hub-error.ts',
    'store/hub-cache.ts',
    'types:metrics',
    'types:tracing/tracer.ts',
    'types:config.ts',
    'types:vectors',
    'errors.ts',
    'util',
  ],
  vectors: ['errors.ts', 'util'],
  quantization: ['types:graph', 'store', 'util'],
  store: ['errors.ts', 'util'],
  models: ['graph', 'store', 'errors.ts', 'util'],
  graph: ['types:store', 'errors.ts', 'util'],
  metrics: [],
  // Its libraries are loaded only where an address for traces is set.
  tracing: [],
  util: [],
  // From `graph` on for the graph debugger and the doctor only.
  cli: [
    'access',
    'app.ts',
    'config.ts',
    'errors.ts',
    'embed.ts',
    'store',
    'vectors',
    'util',
    'graph',
    'models',
    'tokenizer',
    'engine',
    'serving',
  ],
  'cli.ts': [
    'cli',
    'engine/spare-runner.ts',
    'app.ts',
    'config.ts',
    'errors.ts',
    'embed.ts',
    'store',
    'vectors',
    'util',
  ],
  'embed.ts': ['types:request', 'tokenizer', 'types:serving', 'vectors', 'types:metrics', 'tracing/timeline.ts'],
  'errors.ts': [],
  'config.ts': ['errors.ts', 'util'],
  'app.ts': 'everything',
  'http-service.ts': 'everything',
  'index.ts': 'everything',
};

/** Code that may stand in the files that match `where` and nowhere else. */
const places: readonly { readonly what: string; readonly pattern: RegExp; readonly where: RegExp }[] = [
  {
    what: 'process.env',
    pattern: /\bprocess\.env\b|\{[^{}]*\benv\b[^{}]*\} (?:= process\b|from 'node:process')/,
    where: /^(cli(\.ts|\/)|engine\/no-telemetry\.ts$|util\/kept-environment\.ts$)/, // what a native library reads, and a child process inherits
  },
  {
    what: 'process.argv',
    pattern: /\bprocess\.argv\b|\{[^{}]*\bargv\b[^{}]*\} (?:= process\b|from 'node:process')/,
    where: /^cli(\.ts|\/)/,
  },
  // A runner is a process of its own.
  {
    what: 'process.exit',
    pattern: /\bprocess\.exit\b|\{[^{}]*\bexit\b[^{}]*\} (?:= process\b|from 'node:process')/,
    where: /^(cli(\.ts|\/)|engine\/runner[^/]*\.ts)/,
  },
  {
    what: 'the wall clock, which jumps (performance.now() does not)',
    pattern: /\bDate\.now\b|\bnew Date\(\)/,
    // Times of files, of HTTP headers and of log lines, what clients are shown, and the ends of keys and certificates.
    where:
      /^(quantization\/quantized-file|store\/hub\/answer-error|store\/archive\/staging|serving\/model-host|util\/name-work|access\/(follow-certificate|key-ring)|cli\/keys)\.ts$/,
  },
  {
    what: 'a comparison with a model type',
    pattern:
      /\b(?:model_type|modelType)\b['"\]?)]*\s*[!=]==?|[!=]==?\s*[\w.?['"]*\b(?:model_type|modelType)\b|switch\s*\([^)]*\b(?:model_type|modelType)\b/,
    where: /^models\//,
  },
];

/** Packages that may be imported from the files that match `where`, at most `files` of them. */
const packages: readonly { readonly name: string; readonly where: RegExp; readonly files: number }[] = [
  { name: 'onnxruntime-node', where: /^engine\/session[^/]*\.ts$/, files: Infinity },
  { name: 'tokenizers', where: /^tokenizer\//, files: 1 },
  { name: '@opentelemetry/api', where: /^tracing\//, files: 1 }, // imported only where traces are sent
  { name: 'rate-limiter-flexible', where: /^limits\//, files: 1 },
  { name: 'ioredis', where: /^limits\//, files: 1 },
];

interface Import {
  readonly target: string;
  readonly isType: boolean;
}

/** Every breach of the rules above, in words; `sources` maps paths below `src` to their code. */
export function findViolations(sources: ReadonlyMap<string, string>): readonly string[] {
  const code = new Map([...sources].map(([path, text]) => [path, withoutComments(text)]));
  const imports = new Map([...code].map(([path, text]) => [path, importsOf(text)]));
  return [
    ...[...imports].flatMap(([path, list]) => arrowViolations(path, list)),
    ...cycles(imports),
    ...[...code].flatMap(([path, text]) => placeViolations(path, text)),
    ...packageViolations(imports),
  ];
}

/** String literals stay, so `'http://…'` is not taken for a comment. */
function withoutComments(text: string): string {
  const token = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[^]*?\*\/|\/\/[^\n]*/g;
  return text.replace(token, (found) => (found.startsWith('/') ? ' ' : found));
}

function importsOf(text: string): readonly Import[] {
  // `import { type X }` is a value here: it stays in the JavaScript as `import {}` and loads the file.
  const statement = /\b(?:import|export)\s+(type\s+)?([\w$*{}\s,]*?)\s*from\s*(['"])([^'"]+)\3/g;
  const bare = /\bimport\s*(['"])([^'"]+)\1/g;
  const dynamic = /(\btype\s+\w+(?:<[^>]*>)?\s*=\s*)?\bimport\s*\(\s*(['"`])([^'"`]+)\2/g;
  const fileUrl = /\bnew URL\(\s*(['"`])((?![^'"`]*node_modules)[^'"`]+\.[jt]s)\1\s*,\s*import\.meta\.url/g;
  return [
    ...[...text.matchAll(statement)].map(([, type, , , target = '']) => ({
      target,
      isType: type !== undefined,
    })),
    ...[...text.matchAll(bare)].map(([, , target = '']) => ({ target, isType: false })),
    ...[...text.matchAll(dynamic)].map(([, type, , target = '']) => ({ target, isType: type !== undefined })),
    ...[...text.matchAll(fileUrl)].map(([, , target = '']) => ({
      target: target.startsWith('.') ? target : `./${target}`,
      isType: false,
    })),
  ];
}

function arrowViolations(path: string, imports: readonly Import[]): readonly string[] {
  const row = arrows[ownerOf(path)];
  if (row === undefined) return [`${path}: no row for ${ownerOf(path)} in the table of arrows`];
  if (row === 'everything') return [];
  return imports.flatMap(({ target, isType }) => {
    const resolved = resolveImport(path, target);
    if (resolved === undefined || ownerOf(resolved) === ownerOf(path)) return [];
    const covers = (entry: string) => resolved === entry || resolved.startsWith(`${entry}/`);
    if (row.some((entry) => covers(entry) || (isType && covers(entry.replace('types:', ''))))) return [];
    if (row.some((entry) => covers(entry.replace('types:', '')))) {
      return [`${path} imports a value from ${resolved}: that arrow carries types only`];
    }
    return [`${path} imports ${resolved}: ${ownerOf(path)} may import ${row.join(', ') || 'nothing'}`];
  });
}

/** `http/server.ts` belongs to `http`, `app.ts` to itself. */
function ownerOf(path: string): string {
  return path.split('/')[0] ?? path;
}

/** The path below `src`, or undefined for a package. */
function resolveImport(from: string, target: string): string | undefined {
  return target.startsWith('.') ? posix.join(posix.dirname(from), target) : undefined;
}

/** Depth first; each cycle is named once, from the file where the walk met it. */
function cycles(imports: ReadonlyMap<string, readonly Import[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const { target } of imports.get(path) ?? []) {
      const next = resolveImport(path, target);
      if (next !== undefined && imports.has(next)) walk(next, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of imports.keys()) walk(path, []);
  return found;
}

function placeViolations(path: string, text: string): readonly string[] {
  return places.flatMap(({ what, pattern, where }) =>
    pattern.test(text) && !where.test(path) ? [`${path}: ${what} belongs elsewhere`] : [],
  );
}

function packageViolations(imports: ReadonlyMap<string, readonly Import[]>): readonly string[] {
  return packages.flatMap(({ name, where, files }) => {
    const importers = [...imports]
      .filter(([, list]) => list.some(({ target }) => target === name))
      .map(([path]) => path);
    const strangers = importers.filter((path) => !where.test(path)).map((path) => `${path} imports ${name}`);
    const tooMany =
      importers.length > files ? [`${name} is imported from ${importers.length} files: ${importers.join(', ')}`] : [];
    return [...strangers, ...tooMany];
  });
}
