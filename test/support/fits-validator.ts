import { z } from 'zod';

interface Schema {
  readonly bsonType?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly not?: Schema | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly minItems?: number | undefined;
  readonly maxItems?: number | undefined;
}

/** Only the keywords that the validators use: one that is not known here fails. */
const schema: z.ZodType<Schema> = z.lazy(() =>
  z.strictObject({
    bsonType: z.enum(['object', 'array', 'string', 'date', 'null']).optional(),
    enum: z.array(z.unknown()).optional(),
    not: schema.optional(),
    anyOf: z.array(schema).optional(),
    properties: z.record(z.string(), schema).optional(),
    required: z.array(z.string()).optional(),
    minItems: z.number().optional(),
    maxItems: z.number().optional(),
  }),
);

/** What a server with validators answers: whether it takes the document. FerretDB has none. */
export function fits(validator: unknown, document: unknown): boolean {
  const { $jsonSchema } = z.strictObject({ $jsonSchema: schema }).parse(validator);
  return holds($jsonSchema, document);
}

function holds(rule: Schema, value: unknown): boolean {
  const fields = isObject(value) ? value : undefined;
  const items = Array.isArray(value) ? value.length : undefined;
  return (
    (rule.bsonType === undefined || typeOf(value) === rule.bsonType) &&
    (rule.enum === undefined || rule.enum.includes(value)) &&
    (rule.not === undefined || !holds(rule.not, value)) &&
    (rule.anyOf === undefined || rule.anyOf.some(one => holds(one, value))) &&
    (rule.required ?? []).every(name => fields !== undefined && name in fields) &&
    Object.entries(rule.properties ?? {}).every(
      ([name, inner]) => fields === undefined || !(name in fields) || holds(inner, fields[name]),
    ) &&
    (items === undefined || (items >= (rule.minItems ?? 0) && items <= (rule.maxItems ?? Infinity)))
  );
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  return typeof value;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeOf(value) === 'object';
