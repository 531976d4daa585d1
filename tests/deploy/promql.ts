export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** The series that a PromQL expression reads and the labels it matches them by; enough of the language for our own. */
export function selectorsOf(expr: string): readonly Selector[] {
  const text = expr
    .replaceAll(/"(?:\\.|[^"\\])*"/g, '""')
    .replaceAll(/\[[^\]]*\]/g, '') // ranges
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '')
    .replace(/^label_values\((.*),\s*\w+\)$/, '$1');
  return [...text.matchAll(/\b([a-z_]\w*)\b\s*(\{[^}]*\}|\(|)/g)]
    .filter(([, name = '', rest]) => rest !== '(' && !operators.has(name))
    .map(([, metric = '', rest = '']) => ({
      metric,
      labels: [...rest.matchAll(/(\w+)\s*[=!]/g)].map(([, label = '']) => label),
    }));
}

const operators = new Set(['and', 'or', 'unless', 'sum', 'min', 'max', 'avg', 'count', 'bool', 'offset']);
