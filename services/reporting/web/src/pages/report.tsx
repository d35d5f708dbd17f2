// The interval report: chart, the same numbers as a table, and a way down to the moments behind each row.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ApiError, getReport, type Figure, type Report, type ReportRow } from '../api';
import { serverNow, span } from '../clock';
import { Chart, type ChartPoint } from '../parts/chart';
import { go, place } from '../router';
import { percent, shortDefinition, text, word } from '../text';

const BUCKETS: [string, string][] = [['15m', '15 minutes'], ['30m', '30 minutes'], ['hour', 'Hour'], ['day', 'Day'], ['week', 'Week']];
const BY: [string, string][] = [['none', 'Everything together'], ['queue', 'Queue'], ['person', 'Person'], ['team', 'Team'], ['site', 'Site'], ['channel', 'Channel']];
const DEFINITIONS = ['abandons_ignored', 'abandons_count_for', 'abandons_count_against', 'answered_only', 'switchable'];

const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

function defaults(): URLSearchParams {
  const to = new Date(Math.ceil(serverNow() / 3_600_000) * 3_600_000);
  const from = new Date(to.getTime() - 8 * 3_600_000);
  return new URLSearchParams({
    from: from.toISOString(), to: to.toISOString(), bucket: '15m', by: 'none', tz: ownZone(), definition: 'abandons_ignored', threshold_s: '20',
  });
}

// A datetime-local input speaks the browser's own zone.
const toLocal = (iso: string): string => {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? '' : new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

function useReport(search: string) {
  const [report, setReport] = useState<Report | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  useEffect(() => {
    let isGone = false;
    getReport(search).then(
      (r) => { if (!isGone) { setReport(r); setProblem(null); } },
      (e: unknown) => { if (!isGone && e instanceof ApiError) setProblem(e); },
    );
    return () => { isGone = true; };
  }, [search]);
  return { report, problem };
}

function Choose({ query }: { query: URLSearchParams }) {
  function submit(event: Event): void {
    event.preventDefault();
    const next = new URLSearchParams();
    for (const [name, value] of new FormData(event.currentTarget as HTMLFormElement)) {
      if (!value) continue;
      next.set(name, name === 'from' || name === 'to' ? new Date(String(value)).toISOString() : String(value));
    }
    go(`/report?${next}`);
  }
  const select = (name: string, label: string, options: [string, string][]) => (
    <label>{label}<select name={name} value={query.get(name) ?? ''}>{options.map(([v, t]) => <option key={v} value={v}>{t}</option>)}</select></label>
  );
  return (
    <form class="filters" onSubmit={submit} aria-label="What to report">
      <label>From<input type="datetime-local" name="from" value={toLocal(query.get('from') ?? '')} required /></label>
      <label>To<input type="datetime-local" name="to" value={toLocal(query.get('to') ?? '')} required /></label>
      {select('bucket', 'Per', BUCKETS)}
      {select('by', 'By', BY)}
      {select('definition', 'Service level', DEFINITIONS.map((d) => [d, word(text.definitions, d)]))}
      <label>within seconds<input type="number" name="threshold_s" min="1" max="3600" value={query.get('threshold_s') ?? '20'} required /></label>
      <label>Time zone<input name="tz" value={query.get('tz') ?? ownZone()} required /></label>
      <button type="submit" class="main-action">Show</button>
    </form>
  );
}

function share(figure: Figure | null | undefined): string {
  if (!figure || figure.value === null) return 'no data';
  const interval = figure.low !== null && figure.low !== undefined && figure.high !== null && figure.high !== undefined
    ? ` (${Math.round(figure.low * 100)}–${Math.round(figure.high * 100)})` : '';
  return `${percent(figure.value, 1)}${interval}`;
}

function Counts({ row }: { row: { counts: Record<string, number>; figures: Record<string, Figure | null> } }) {
  const c = row.counts;
  const f = row.figures;
  return (
    <>
      <td class="num">{c['offered'] ?? 0}</td><td class="num">{c['answered'] ?? 0}</td><td class="num">{c['answered_within'] ?? 0}</td>
      <td class="num">{c['abandoned'] ?? 0}</td><td class="num">{share(f['service_level'])}</td><td class="num">{share(f['abandon_rate'])}</td>
      <td class="num">{span(f['asa_ms']?.value)}</td><td class="num">{span(f['aht_ms']?.value)}</td>
      <td class="num">{f['csat'] && f['csat'].value !== null ? `${percent(f['csat'].value)} of ${f['csat'].n}` : 'no data'}</td>
    </>
  );
}

const isBy = (report: Report): boolean => report.by !== 'none';

function drill(row: ReportRow): string {
  const query = row.moments.slice(row.moments.indexOf('?') + 1);
  return `/moments?${query}`;
}

function Table({ report }: { report: Report }) {
  const when = new Intl.DateTimeFormat(undefined, {
    timeZone: report.tz, month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit',
  });
  const rows = report.rows.filter((r) => (r.counts['offered'] ?? 0) > 0);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="The report as a table"><table data-testid="report">
      <thead><tr><th scope="col">From ({report.tz})</th>{isBy(report) && <th scope="col">{report.by}</th>}<th scope="col" class="num">Offered</th><th scope="col" class="num">Answered</th>
        <th scope="col" class="num">in {report.threshold_s} s</th><th scope="col" class="num">Abandoned</th><th scope="col" class="num">Service level</th><th scope="col" class="num">Abandon rate</th>
        <th scope="col" class="num" title="Average speed of answer: queue wait of the answered">ASA</th><th scope="col" class="num" title="Average handling time: talk + hold + wrap">AHT</th><th scope="col" class="num">Satisfied</th></tr></thead>
      <tbody>{rows.map((r) => (
        <tr key={`${r.start}/${r.key}`}><th scope="row"><a href={drill(r)}>{when.format(new Date(r.start))}</a></th>{isBy(report) && <td>{r.name || r.key || 'none'}</td>}<Counts row={r} /></tr>))}</tbody>
      <tfoot><tr><th scope="row" colSpan={isBy(report) ? 2 : 1}>Total</th><Counts row={report.totals} /></tr></tfoot>
    </table></div>
  );
}

function pointsOf(report: Report): ChartPoint[] {
  const at = new Map<number, ChartPoint & { within: number; n: number }>();
  for (const row of report.rows) {
    const start = Date.parse(row.start);
    const p = at.get(start) ?? { at: start, answered: 0, abandoned: 0, level: null, within: 0, n: 0 };
    p.answered += row.counts['answered'] ?? 0;
    p.abandoned += row.counts['abandoned'] ?? 0;
    const level = row.figures['service_level'];
    if (level && level.value !== null) {
      p.within += level.value * level.n;
      p.n += level.n;
      p.level = p.within / p.n;
    }
    at.set(start, p);
  }
  return [...at.values()].sort((a, b) => a.at - b.at);
}

export function ReportPage() {
  const given = place.value.search.slice(1);
  const search = useMemo(() => given || defaults().toString(), [given]);
  const { report, problem } = useReport(search);
  const points = useMemo(() => (report ? pointsOf(report) : []), [report]);
  return (
    <div class="report">
      <h1>Interval report</h1>
      <Choose key={search} query={new URLSearchParams(search)} />
      {problem && <p class="problem" role="alert">{problem.problem.field ? `${problem.problem.field}: ` : ''}{problem.message}</p>}
      {!report ? <p class="quiet" role="status">{problem ? '' : 'Counting…'}</p> : (
        <section class="panel" aria-label="Report">
          <p class="note">Service level “{word(text.definitions, shortDefinition(report.definition))}” within {report.threshold_s} s ({report.definition}); days begin at midnight in {report.tz}.
            {' '}<a href={`/api/v1/reports/interval?${search}&format=csv`} download="report.csv">CSV</a> · <a href={`/api/v1/reports/interval?${search}`} target="_blank" rel="noopener">JSON</a></p>
          {(report.totals.counts['offered'] ?? 0) === 0
            ? <p class="quiet">Nothing was offered between these times. Choose a longer time, or look at the <a href="/">live floor</a>.</p>
            : <>
              <p class="legend"><span><i class="swatch piece-talk" /> answered</span><span><i class="swatch is-bad-swatch" /> abandoned</span><span><i class="swatch is-line" /> service level</span></p>
              <Chart points={points} tz={report.tz} label="Answered and abandoned visits with the service level; the table below has the same numbers" />
              <Table report={report} />
            </>}
        </section>)}
    </div>
  );
}
