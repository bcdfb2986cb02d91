import { defineSearchAttributeKey, SearchAttributeType, type SearchAttributePair } from '@temporalio/common';
import type { searchAttributeNames } from '../contracts/search-attributes.js';

type Name = (typeof searchAttributeNames)[number];

/** Search attributes for a start: all of type Keyword. */
export function keywords(values: Partial<Record<Name, string>>): SearchAttributePair[] {
  return Object.entries(values).map(([name, value]) => ({
    key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
    value,
  }));
}
