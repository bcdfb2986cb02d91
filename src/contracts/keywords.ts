import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';
import type { SearchAttributeName } from './search-attributes.js';

/** Search attributes with their values, as a start and an upsert take them: all of type Keyword. */
export function keywords(values: Partial<Record<SearchAttributeName, string>>): SearchAttributePair[] {
  return Object.entries(values).map(([name, value]) => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  }));
}
