// A list of moments: the end of every drill-down. The address holds the filters.
import type { Moment } from '../api';
import { dayTime, span, t, word } from '../i18n';
import { usePages } from '../loading';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { ProblemPanel } from '../parts/problem';
import { go, place } from '../router';

const FILTERS = ['queue', 'person', 'outcome', 'source', 'from', 'to'] as const;

function Row({ m }: { m: Moment }) {
  return (
    <tr>
      <th scope="row"><a href={`/moments/${m.moment_id}`}>{dayTime(m.started_at)}</a></th>
      <td>{m.queue || '–'}</td><td>{m.agent || '–'}</td><td>{m.state === 'ended' ? word(t().outcomes, m.visits.at(-1)?.outcome ?? m.outcome) : m.state ? t().states[m.state] : '–'}</td>
      <td class="num">{span(m.wait_ms)}</td><td class="num">{span(m.talk_ms)}</td><td class="num">{span(m.hold_ms)}</td>
      <td class="num">{m.transfers}</td><td class="num">{m.csat ?? '–'}</td>
    </tr>
  );
}

function Filters({ query }: { query: URLSearchParams }) {
  function submit(event: Event): void {
    event.preventDefault();
    const next = new URLSearchParams(query);
    for (const [name, value] of new FormData(event.currentTarget as HTMLFormElement)) {
      if (String(value).trim()) next.set(name, String(value).trim());
      else next.delete(name);
    }
    go(`/moments${next.size ? `?${next}` : ''}`);
  }
  return (
    <form class="filters" onSubmit={submit} aria-label={t().moments.filters}>
      {FILTERS.map((name) => (
        <label key={name}>{t().moments[name]}
          {name === 'outcome'
            ? <select name={name} value={query.get(name) ?? ''}><option value="">{t().any}</option>{Object.entries(t().outcomes).map(([k, v]) => <option key={k} value={k}>{v}</option>)}</select>
            : <input name={name} value={query.get(name) ?? ''} placeholder={name === 'from' || name === 'to' ? '2026-03-02T08:00:00Z' : t().any} />}
        </label>))}
      <button type="submit" class="main-action">{t().action.show}</button>
      {query.size > 0 && <a href="/moments">{t().action.clear}</a>}
    </form>
  );
}

// A drill-down filters by more than the form has fields for; nothing is left out silently.
function FurtherFilters({ query }: { query: URLSearchParams }) {
  const further = [...query].filter(([name]) => !(FILTERS as readonly string[]).includes(name));
  if (further.length === 0) return null;
  return <p class="note">{t().moments.only(further.map(([k, v]) => `${k.replaceAll('_', ' ')} ${v}`).join(', '))}</p>;
}

export function MomentsPage() {
  const { search } = place.value;
  const query = new URLSearchParams(search);
  if (!query.has('limit')) query.set('limit', '50');
  const found = usePages<Moment>(`/api/v1/moments?${query}`, (m) => m.moment_id);
  const words = t().moments;
  return (
    <div class="moments">
      <PageHead title={words.title} about={words.about} />
      <Filters key={search} query={new URLSearchParams(search)} />
      <FurtherFilters query={new URLSearchParams(search)} />
      <ProblemPanel problem={found.problem} retry={found.reload} />
      <section class="panel" aria-label={words.found}>
        {found.items === null ? <p class="quiet" role="status">{found.problem ? '' : words.looking}</p> : found.items.length === 0
          ? <p class="quiet">{words.nothing} <a href="/moments">{words.showAll}</a></p> : (
            <div class="scroll" tabIndex={0} role="group" aria-label={words.newest}><table data-testid="moments">
              <thead><tr><th scope="col">{words.started}</th><th scope="col">{words.queue}</th><th scope="col">{words.agent}</th><th scope="col">{words.outcome}</th><th scope="col" class="num">{words.wait}</th>
                <th scope="col" class="num">{words.talk}</th><th scope="col" class="num">{words.hold}</th><th scope="col" class="num">{words.transfers}</th><th scope="col" class="num">{words.survey}</th></tr></thead>
              <tbody>{found.items.map((m) => <Row key={m.moment_id} m={m} />)}</tbody>
            </table></div>)}
        <More of={found} />
      </section>
    </div>
  );
}
