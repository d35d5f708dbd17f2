// What is behind a leader's figure: each act that counted, newest first.
import type { Act } from '../proto';
import { usePages } from '../loading';
import { dayTime, t, word } from '../i18n';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { Waiting } from '../parts/problem';
import { place } from '../router';

export function ActsPage() {
  const { search, searchParams } = place.value;
  const list = usePages<Act>(`/api/v1/acts${search}`, (a) => a.act_id);
  const words = t().drill;
  const from = searchParams.get('from_at');
  const to = searchParams.get('to_at');
  return (
    <div class="acts">
      <PageHead title={words.acts} about={from && to ? words.between(dayTime(from), dayTime(to)) : words.actsAbout} />
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <div class="panel empty"><p>{words.noActs}</p></div>
        : <ul class="plain rows panel" data-testid="acts">{list.items.map((a) => (
          <li key={a.act_id}><time dateTime={a.at ?? ''}>{dayTime(a.at)}</time><span>{word(t().practices, a.practice)}</span>
            {a.moment_id ? <a href={`/moments/${a.moment_id}`}>{words.moment}</a> : <span class="quiet">{words.hidden}</span>}</li>))}</ul>}
      <More of={list} />
    </div>
  );
}
