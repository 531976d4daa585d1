import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ModuleEntry } from '../../store/modules.ts';
import { toModuleEntry } from '../../store/modules.ts';
import { ConfigFieldError } from '../config-fields.ts';
import { readJsonFile } from '../read-json-file.ts';

/** The branches of a Router module: `query` and `document` may end in different steps. */
export interface Routes {
  /** The steps of each route, by its name. */
  readonly steps: ReadonlyMap<string, readonly ModuleEntry[]>;
  /** The route of a text that asks for none. */
  readonly fallback: string | undefined;
}

/** `Asym` is the older name of `Router`. */
export function isRouter({ kind }: ModuleEntry): boolean {
  return kind === 'Router' || kind === 'Asym';
}

/** @throws ConfigFieldError, ModulesFileError naming the file */
export function readRoutes(folder: string, { path }: ModuleEntry): Routes {
  const name = existsSync(join(folder, path, 'router_config.json')) ? 'router_config.json' : 'config.json';
  const file = `${path}/${name}`;
  const json = readJsonFile(join(folder, path, name));
  const { types, structure, parameters = {} } = isRecord(json) ? json : {};
  if (!isRecord(types) || !isRecord(structure) || !isRecord(parameters))
    throw new ConfigFieldError(`Expected "types" and "structure" in ${file}.`);
  if (Object.keys(parameters['route_mappings'] ?? {}).length > 0)
    throw new ConfigFieldError(`Expected no route_mappings in ${file}: they are not built.`);
  const steps = new Map<string, readonly ModuleEntry[]>();
  for (const [route, ids] of Object.entries(structure)) {
    if (!Array.isArray(ids))
      throw new ConfigFieldError(`Expected a list of modules for the route ${route} in ${file}.`);
    steps.set(
      route,
      ids.map((id: unknown) => {
        const entry = { type: types[String(id)], path: id };
        const module = toModuleEntry(entry, file);
        return { ...module, path: [path, module.path].filter((part) => part !== '').join('/') };
      }),
    );
  }
  const { default_route: declared, allow_empty_key: mayBeEmpty = true } = parameters;
  const first = mayBeEmpty === true ? [...steps.keys()][0] : undefined;
  return { steps, fallback: typeof declared === 'string' ? declared : first };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
