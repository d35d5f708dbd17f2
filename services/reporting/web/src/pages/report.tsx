// The interval report: chart, the same numbers as a table, and a way down to the moments behind each row.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { getReport, ownZone, problemIn, type Figure, type Problem, type Report, type ReportRow } from '../api';
import { serverNow } from '../clock';
import { number, percent, shortDefinition, showDate, span, t, word } from '../i18n';
import { Chart, type ChartPoint } from '../parts/chart';
import { PageHead } from '../parts/page-head';
import { ProblemPanel } from '../parts/problem';
import { go, place } from '../router';


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
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let isGone = false;
    getReport(search).then(
      (r) => { if (!isGone) { setReport(r); setProblem(null); } },
      (e: unknown) => { if (!isGone) setProblem(problemIn(e)); },
    );
    return () => { isGone = true; };
  }, [search]);
  return { report, problem };
}

function Choose({ query }: { query: URLSearchParams }) {
  const words = t().report;
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
    <form class="filters" onSubmit={submit} aria-label={words.what}>
      <label>{words.from}<input type="datetime-local" name="from" value={toLocal(query.get('from') ?? '')} required /></label>
      <label>{words.to}<input type="datetime-local" name="to" value={toLocal(query.get('to') ?? '')} required /></label>
      {select('bucket', words.per, Object.entries(words.buckets))}
      {select('by', words.by, Object.entries(words.bys))}
      {select('definition', words.level, Object.entries(t().definitions))}
      <label>{words.within}<input type="number" name="threshold_s" min="1" max="3600" value={query.get('threshold_s') ?? '20'} required /></label>
      <label>{words.timeZone}<input name="tz" value={query.get('tz') ?? ownZone()} required /></label>
      <button type="submit" class="main-action">{t().action.show}</button>
    </form>
  );
}

function share(figure: Figure | null | undefined): string {
  if (!figure || figure.value === null) return t().noData;
  const interval = figure.low !== null && figure.low !== undefined && figure.high !== null && figure.high !== undefined
    ? ` (${number(figure.low * 100, 0)}–${number(figure.high * 100, 0)})` : '';
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
      <td class="num">{f['csat'] && f['csat'].value !== null ? t().report.of(percent(f['csat'].value), number(f['csat'].n)) : t().noData}</td>
    </>
  );
}

const isBy = (report: Report): boolean => report.by !== 'none';

function drill(row: ReportRow): string {
  const query = row.moments.slice(row.moments.indexOf('?') + 1);
  return `/moments?${query}`;
}

function Table({ report }: { report: Report }) {
  const words = t().report;
  const when = (start: string): string => showDate(start, { timeZone: report.tz, month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
  const rows = report.rows.filter((r) => (r.counts['offered'] ?? 0) > 0);
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={words.asTable}><table data-testid="report">
      <thead><tr><th scope="col">{words.fromIn(report.tz)}</th>{isBy(report) && <th scope="col">{word(words.bys, report.by)}</th>}<th scope="col" class="num">{words.offered}</th><th scope="col" class="num">{words.answered}</th>
        <th scope="col" class="num">{words.inTime(report.threshold_s)}</th><th scope="col" class="num">{words.abandoned}</th><th scope="col" class="num">{words.level}</th><th scope="col" class="num">{words.abandonRate}</th>
        <th scope="col" class="num" title={words.asaHint}>{words.asa}</th><th scope="col" class="num" title={words.ahtHint}>{words.aht}</th><th scope="col" class="num">{words.satisfied}</th></tr></thead>
      <tbody>{rows.map((r) => (
        <tr key={`${r.start}/${r.key}`}><th scope="row"><a href={drill(r)}>{when(r.start)}</a></th>{isBy(report) && <td>{r.name || r.key || t().none}</td>}<Counts row={r} /></tr>))}</tbody>
      <tfoot><tr><th scope="row" colSpan={isBy(report) ? 2 : 1}>{words.total}</th><Counts row={report.totals} /></tr></tfoot>
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
  const words = t().report;
  return (
    <div class="report">
      <PageHead title={words.title} about={words.about} />
      <Choose key={search} query={new URLSearchParams(search)} />
      <ProblemPanel problem={problem} />
      {!report ? <p class="quiet" role="status">{problem ? '' : words.counting}</p> : (
        <section class="panel" aria-label={words.report}>
          <p class="note">{words.note(word(t().definitions, shortDefinition(report.definition)), report.threshold_s, report.definition, report.tz)}
            {' '}<a href={`/api/v1/reports/interval?${search}&format=csv`} download="report.csv">CSV</a> · <a href={`/api/v1/reports/interval?${search}`} target="_blank" rel="noopener">JSON</a></p>
          {(report.totals.counts['offered'] ?? 0) === 0
            ? <p class="quiet">{words.nothing} <a href="/floor">{t().pages.floor}</a></p>
            : <>
              <p class="legend"><span><i class="swatch piece-talk" /> {words.legendAnswered}</span><span><i class="swatch is-bad-swatch" /> {words.legendAbandoned}</span><span><i class="swatch is-line" /> {words.legendLevel}</span></p>
              <Chart points={points} tz={report.tz} label={words.chart} />
              <Table report={report} />
            </>}
        </section>)}
    </div>
  );
}
