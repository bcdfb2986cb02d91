/** A read's options where only ids are asked for. */
export const idOnly = { projection: { _id: 1 } } as const;
