// Every line that was crossed: take it, close it, see what happened with it.
import { query } from '../api';
import { useLive } from '../bus';
import { t } from '../i18n';
import { usePages } from '../loading';
import { AlertRow, isAttended, isOpen } from '../parts/alert-row';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { Waiting } from '../parts/problem';
import { Tabs } from '../parts/tabs';
import type { Alert } from '../proto';
import { go, place } from '../router';
import { isMe } from '../session';

type View = 'open' | 'mine' | 'history';

export function AlertsPage() {
  const given = place.value.searchParams.get('view');
  const view: View = given === 'mine' || given === 'history' ? given : 'open';
  const list = usePages<Alert>(`/api/v1/alerts${query({ open_only: view !== 'history', mine: view === 'mine', limit: 50 })}`, (a) => a.alert_id);
  const fits = (a: Alert): boolean => view === 'history' || isAttended(a) || (isOpen(a) && (view === 'open' || isMe(a.owner)));
  const put = (a: Alert): void => list.put(a.alert_id, fits(a) ? a : null);
  useLive('alert', put);
  const words = t().alerts;
  const none = { open: words.none, mine: words.noneMine, history: words.noneEver }[view];
  return (
    <div class="alerts">
      <PageHead title={words.title} about={words.about}><a class="button" href="/alerts/rules">{t().rules.title}</a></PageHead>
      <Tabs label={words.views} tabs={[['open', words.open], ['mine', words.mine], ['history', words.history]]} at={view} onTab={(v) => go(`/alerts${query({ view: v === 'open' ? '' : v })}`)}>
        {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0
          ? <div class="panel empty"><p>{none}</p><p class="quiet">{words.noneHint} <a href="/alerts/rules">{words.rules}</a></p></div>
          : <ul class="plain" data-testid="alert-list">{list.items.map((a) => <AlertRow key={a.alert_id} alert={a} onChanged={put} withSteps />)}</ul>}
        <More of={list} />
      </Tabs>
    </div>
  );
}
