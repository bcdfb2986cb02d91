/** What `--store` takes. By itself, so that who only names them loads none of what starts them. */
export const storeNames = ['postgres', 'mongo', 'documentdb'] as const;
export type StoreName = (typeof storeNames)[number];
