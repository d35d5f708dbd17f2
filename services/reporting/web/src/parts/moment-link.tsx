// A moment by what one knows it by: when, and in which queue.
import { path, type MomentDetail } from '../api';
import { queueName } from '../directory';
import { dayTime, t } from '../i18n';
import { useLoaded } from '../loading';

export function MomentLink({ id }: { id: string }) {
  const { data } = useLoaded<MomentDetail>(path('/api/v1/moments/{}', id));
  const m = data?.moment;
  return <a href={`/moments/${id}`}>{m ? [dayTime(m.started_at), m.queue && queueName(m.queue)].filter(Boolean).join(', ') : `${t().moment.title} ${id.slice(-8)}`}</a>;
}
