/** `18 s left`, in words that stand for a guess; nothing where nobody can guess yet. */
export function formatTimeLeft({ left, perSecond }: { readonly left: number; readonly perSecond: number }): string {
  if (!(perSecond > 0)) return '';
  const seconds = Math.max(0, left) / perSecond;
  if (seconds < 60) return `${Math.ceil(seconds)} s left`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min left` : `${(seconds / 3600).toFixed(1)} h left`;
}
