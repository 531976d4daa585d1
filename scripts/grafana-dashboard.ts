import { rows, type Panel } from './grafana-panels.ts';

const datasource = { type: 'prometheus', uid: '${datasource}' };
const columns = 24;
const width = 8;
const height = 8;

/** The text of `deploy/grafana/embeddings.json`; `npm run docs` writes the file. */
export function toDashboard(): string {
  const panels: object[] = [];
  let y = 0;
  for (const [title, list] of Object.entries(rows)) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: columns, h: 1 },
    });
    y++;
    for (const [i, panel] of list.entries()) {
      const gridPos = {
        x: (i * width) % columns,
        y: y + Math.floor((i * width) / columns) * height,
        w: width,
        h: height,
      };
      panels.push(toPanel(panel, panels.length + 1, gridPos));
    }
    y += Math.ceil((list.length * width) / columns) * height;
  }
  const dashboard = {
    uid: 'embeddings',
    title: 'Embeddings',
    description: 'Requests, queue, batches, runners, memory and models of the embeddings service.',
    tags: ['embeddings'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    timezone: 'browser',
    time: { from: 'now-1h', to: 'now' },
    annotations: { list: [] },
    links: [],
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
        toVariable('job', 'label_values(embeddings_build_info, job)'),
        toVariable('instance', 'label_values(embeddings_build_info{job=~"$job"}, instance)'),
        toVariable('model', 'label_values(embeddings_requests_total{job=~"$job",instance=~"$instance"}, model)'),
      ],
    },
    panels,
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

function toPanel({ title, unit, queries, isNumber = false }: Panel, id: number, gridPos: object): object {
  return {
    id,
    type: isNumber ? 'stat' : 'timeseries',
    title,
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: isNumber
      ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false } }
      : {
          legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
          tooltip: { mode: 'multi', sort: 'desc' },
        },
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      expr,
      legendFormat: legend,
    })),
  };
}

function toVariable(name: string, definition: string): object {
  return {
    name,
    label: name.replace(/^./, (letter) => letter.toUpperCase()),
    type: 'query',
    datasource,
    definition,
    query: { query: definition, refId: name },
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
    sort: 1,
    hide: 0,
  };
}
