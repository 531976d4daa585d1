/** OpenAI's SDKs keep to no more. */
export const longestRetryAfterSeconds = 60;

/** Whole seconds to wait, from 1 to the most that SDKs keep to. */
export function toRetryAfter(seconds: number): number {
  return Math.min(longestRetryAfterSeconds, Math.max(1, Math.ceil(seconds)));
}
