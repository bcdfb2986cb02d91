import { EventEmitter, once } from 'node:events';

/** Holds up a step of an activity: `reached` once it is there, until `letGo`. */
export function createBarrier() {
  const steps = new EventEmitter();
  const gone = once(steps, 'gone');
  return {
    reached: once(steps, 'reached'),
    letGo: () => steps.emit('gone'),
    wait: async () => {
      steps.emit('reached');
      await gone;
    },
  };
}
