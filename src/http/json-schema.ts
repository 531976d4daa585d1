/** A JSON Schema as plain data. A schema library would cost 190 ms of every start for what only documents. */
export type JsonSchema = Readonly<Record<string, unknown>>;

type Fields = Readonly<Record<string, JsonSchema>>;

/** An object whose `fields` must all be there and whose `optional` ones may be. */
export function object(
  fields: Fields,
  { optional = {}, ...rest }: JsonSchema & { readonly optional?: Fields } = {},
): JsonSchema {
  const required = Object.keys(fields);
  return {
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    properties: { ...fields, ...optional },
    ...rest,
  };
}

export function string(options: JsonSchema = {}): JsonSchema {
  return { type: 'string', ...options };
}

export function integer(options: JsonSchema = {}): JsonSchema {
  return { type: 'integer', ...options };
}

export function array(items: JsonSchema, options: JsonSchema = {}): JsonSchema {
  return { type: 'array', items, ...options };
}

export function oneValue(value: string): JsonSchema {
  return { type: 'string', const: value };
}

export function oneOfValues(...values: readonly string[]): JsonSchema {
  return { type: 'string', enum: values };
}

export function anyOf(schemas: readonly JsonSchema[], options: JsonSchema = {}): JsonSchema {
  return { anyOf: schemas, ...options };
}

export function nullable(schema: JsonSchema, options: JsonSchema = {}): JsonSchema {
  return anyOf([schema, { type: 'null' }], options);
}

/** A component by its `$id`. */
export function ref(id: string): JsonSchema {
  return { $ref: `${id}#` };
}
