const longestText = 500;
const maxFields = 20;

/** The flat fields of a handler's log line: texts are cut, and what is no scalar is left out. */
export function keepScalars(fields: unknown): Record<string, string | number | boolean | null> {
  const kept: Record<string, string | number | boolean | null> = {};
  if (typeof fields !== 'object' || fields === null) return kept;
  for (const [name, value] of Object.entries(fields as Readonly<Record<string, unknown>>).slice(0, maxFields)) {
    if (typeof value === 'string') kept[name] = value.slice(0, longestText);
    else if (value === null || typeof value === 'number' || typeof value === 'boolean') kept[name] = value;
  }
  return kept;
}
