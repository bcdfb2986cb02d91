export const naiveTaskQueue = 'bench-naive';

export interface NaiveActivities {
  handle(): Promise<void>;
}
