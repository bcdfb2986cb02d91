/** Where the sandbox serves what, relative to its `url`. */
export const sandboxPaths = {
  authorize: '/oauth/authorize',
  token: '/oauth/token',
  revoke: '/oauth/revoke',
  identity: '/identity',
  /** The same in Attio's words, for stacks in which the sandbox plays Attio. */
  attioSelf: '/attio/v2/self',
  consent: '/consent',
  control: '/control',
} as const;

/** The one scope of the sandbox. A request that names no known scope is granted this one, as Attio does. */
export const sandboxScope = 'accounts:read';
