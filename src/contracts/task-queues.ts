/** Handlers run on a task queue of their own, so that a flood of deliveries never keeps a reconnect waiting. */
export const deliveriesTaskQueue = (taskQueue: string) => `${taskQueue}-deliveries`;
