/** The class of its own code that a config.json names for the plain model. */
export function ownCodeOf(json: unknown): string | null {
  const map = typeof json === 'object' && json !== null && 'auto_map' in json ? json.auto_map : undefined;
  const name = typeof map === 'object' && map !== null && 'AutoModel' in map ? map.AutoModel : undefined;
  return typeof name === 'string' ? name : null;
}

/** Which generation of transformers wrote a config.json, by the fields that only one of them writes. */
export function configDialect(json: unknown): string {
  if (typeof json !== 'object' || json === null) return 'no object';
  const version =
    'transformers_version' in json ? `, written by transformers ${String(json.transformers_version)}` : '';
  const has = (fields: readonly string[]): boolean => fields.some((field) => field in json);
  const isNew = has(['dtype', 'rope_parameters', 'layer_types']);
  const isOld = has(['torch_dtype', 'rope_scaling', 'rope_theta', 'position_embedding_type']);
  const dialect = isNew && isOld ? 'both dialects' : isNew ? 'transformers 5' : isOld ? 'transformers 4' : 'either';
  return `${dialect}${version}`;
}
