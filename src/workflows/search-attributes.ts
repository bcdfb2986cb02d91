import { upsertSearchAttributes } from '@temporalio/workflow';
import { keywords } from '../contracts/keywords.js';

/** Sets several Keyword search attributes by one command. */
export function setSearchAttributes(values: Parameters<typeof keywords>[0]): void {
  upsertSearchAttributes(keywords(values));
}
