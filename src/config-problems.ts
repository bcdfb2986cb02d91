import type { z } from 'zod';

/** The parts of zod's issues that decide what is said; a schema with a text of its own never comes here. */
type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

/** Zod's complaints in our words. Given to every parse of settings, so that none of its own texts is ever shown. */
export function tellIssue(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required';
      if (issue.expected === 'int') return 'must be a whole number';
      return issue.expected === 'number' ? 'must be a number' : 'is not valid';
    case 'too_small': {
      if (issue.origin === 'string') return `must be at least ${issue.minimum} characters long`;
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    }
    case 'too_big': {
      if (issue.origin === 'string') return `must be at most ${issue.maximum} characters long`;
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
    }
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`;
    case 'invalid_format':
      return issue.format === 'url' ? 'must be a URL such as https://example.com' : 'is not valid';
    case 'custom':
    case 'invalid_element':
    case 'invalid_key':
    case 'invalid_union':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return 'is not valid';
  }
}

/**
 * One line for each issue, which names the variable, for a list the entry's place, and never the value.
 *
 * @param prefix Goes before the setting's name.
 */
export function listProblems(issues: readonly z.core.$ZodIssue[], prefix = ''): string[] {
  return issues.map(({ path: [name = '', entry], message }) => {
    const place = typeof entry === 'number' ? `, entry ${entry + 1},` : '';
    return `${prefix}${String(name)}${place} ${message}`;
  });
}
