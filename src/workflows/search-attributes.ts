import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import type { searchAttributeNames } from '../contracts/search-attributes.js';

type Name = (typeof searchAttributeNames)[number];

/** Sets several Keyword search attributes by one command. */
export function setSearchAttributes(values: Partial<Record<Name, string>>): void {
  upsertSearchAttributes(
    Object.entries(values).map(([name, value]) => ({
      key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
      value,
    })),
  );
}
