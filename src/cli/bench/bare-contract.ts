export const bareTaskQueue = 'bench-bare';
export const bareUpdateName = 'answered';

export interface BareActivities {
  first(): Promise<void>;
  second(): Promise<void>;
  third(): Promise<void>;
}
