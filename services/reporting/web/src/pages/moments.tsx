// A list of moments: the end of every drill-down. The address holds the filters.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, getMoments, type Moment } from '../api';
import { dayTime, span } from '../clock';
import { go, place } from '../router';
import { text, word } from '../text';

const FILTERS = ['queue', 'person', 'outcome', 'source', 'from', 'to'] as const;
const NAMES: Record<string, string> = { queue: 'Queue', person: 'Person', outcome: 'Outcome', source: 'Source', from: 'From', to: 'To' };

function useMoments(search: string) {
  const [items, setItems] = useState<Moment[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<ApiError | null>(null);
  async function load(cursor: string | null): Promise<void> {
    const query = new URLSearchParams(search);
    query.set('limit', '50');
    if (cursor) query.set('cursor', cursor);
    try {
      const page = await getMoments(query.toString());
      setItems((old) => (cursor && old ? [...old, ...page.items] : page.items));
      setNext(page.next);
      setProblem(null);
    } catch (error) {
      if (error instanceof ApiError) setProblem(error);
    }
  }
  useEffect(() => { setItems(null); void load(null); }, [search]);
  return { items, next, problem, more: () => load(next) };
}

function Row({ m }: { m: Moment }) {
  return (
    <tr>
      <th scope="row"><a href={`/moments/${m.moment_id}`}>{dayTime(m.started_at)}</a></th>
      <td>{m.queue || '–'}</td><td>{m.agent || '–'}</td><td>{m.state === 'ended' ? word(text.outcomes, m.visits.at(-1)?.outcome ?? m.outcome) : m.state ? text.states[m.state] : '–'}</td>
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
    <form class="filters" onSubmit={submit} aria-label="Filters">
      {FILTERS.map((name) => (
        <label key={name}>{NAMES[name]}
          {name === 'outcome'
            ? <select name={name} value={query.get(name) ?? ''}><option value="">any</option>{Object.entries(text.outcomes).map(([k, v]) => <option key={k} value={k}>{v}</option>)}</select>
            : <input name={name} value={query.get(name) ?? ''} placeholder={name === 'from' || name === 'to' ? '2026-03-02T08:00:00Z' : 'any'} />}
        </label>))}
      <button type="submit" class="main-action">Show</button>
      {query.size > 0 && <a href="/moments">Clear</a>}
    </form>
  );
}

// A drill-down filters by more than the form has fields for; nothing is left out silently.
function FurtherFilters({ query }: { query: URLSearchParams }) {
  const further = [...query].filter(([name]) => !(FILTERS as readonly string[]).includes(name));
  if (further.length === 0) return null;
  return <p class="note">Only those of the figure you came from: {further.map(([k, v]) => `${k.replaceAll('_', ' ')} ${v}`).join(', ')}.</p>;
}

export function MomentsPage() {
  const search = place.value.search;
  const { items, next, problem, more } = useMoments(search);
  return (
    <div class="moments">
      <h1>Moments</h1>
      <Filters key={search} query={new URLSearchParams(search)} />
      <FurtherFilters query={new URLSearchParams(search)} />
      {problem && <p class="problem" role="alert">{problem.message}</p>}
      <section class="panel" aria-label="Moments found">
        {items === null ? <p class="quiet" role="status">{problem ? '' : 'Looking…'}</p> : items.length === 0
          ? <p class="quiet">No moment fits. <a href="/moments">Show all moments</a></p> : (
            <div class="scroll" tabIndex={0} role="group" aria-label="Moments, newest first"><table data-testid="moments">
              <thead><tr><th scope="col">Started</th><th scope="col">Queue</th><th scope="col">Agent</th><th scope="col">Outcome</th><th scope="col" class="num">Wait</th>
                <th scope="col" class="num">Talk</th><th scope="col" class="num">Hold</th><th scope="col" class="num">Transfers</th><th scope="col" class="num">Survey</th></tr></thead>
              <tbody>{items.map((m) => <Row key={m.moment_id} m={m} />)}</tbody>
            </table></div>)}
        {next && <button type="button" onClick={() => void more()}>Show more</button>}
      </section>
    </div>
  );
}
