// What of the live feed concerns the reader, as a toast.
import { on } from './bus';
import { t } from './i18n';
import { toast } from './parts/toasts';
import { hasRole, isAboutMe, isMe } from './session';

const short = (text: string): string => (text.length > 140 ? `${text.slice(0, 139)}…` : text);

// A record may come again in another state: each is told once.
const told = new Set<string>();
function once(key: string, say: () => void): void {
  if (told.has(key)) return;
  told.add(key);
  say();
}

export function listenForNews(): void {
  on('note', (note) => {
    if (isAboutMe(note.receiver) && !note.acknowledged_at)
      once(note.note_id, () => toast(note.kind === 'praise' ? t().news.praise(note.giver_name) : t().news.improvement(note.giver_name),
        short(note.text), `/moments/${note.moment_id}`, note.kind === 'praise' ? 'good' : 'plain'));
    if (isMe(note.giver) && note.acknowledged_at)
      once(`${note.note_id} answered`, () => toast(t().news.answered(note.receiver_name), short(note.answer), `/moments/${note.moment_id}`));
  });
  on('alert', (alert) => {
    const isOpen = alert.state === 'raised';
    if (isOpen && isMe(alert.owner)) once(`${alert.alert_id} ${alert.escalation_level}`, () => toast(t().news.alert(alert.title), '', '/alerts', 'bad'));
    else if (isOpen && alert.escalation_level > 0 && hasRole('leader', 'coach'))
      once(`${alert.alert_id} ${alert.escalation_level}`, () => toast(t().news.alertClimbed(alert.title), '', '/alerts', 'bad'));
  });
  on('evaluation', (e) => {
    // What Moment measured by itself nobody said.
    if (!isAboutMe(e.person_id) || !e.evaluator_name || e.withdrawn) return;
    if (e.state === 'released') once(`${e.evaluation_id} released`, () => toast(t().news.evaluated(e.evaluator_name), e.standard_title, `/moments/${e.moment_id}`));
    const decided = e.disputes.filter((d) => d.state !== 'open');
    if (decided.length > 0)
      once(`${e.evaluation_id} ${decided.map((d) => d.dispute_id).join()}`, () => toast(t().news.decided(decided.at(-1)!.decided_by_name), short(decided.at(-1)!.decision_reason), `/moments/${e.moment_id}`));
  });
  on('standard', (standard) => {
    if (standard.state === 'published' && !isMe(standard.signed_by_id))
      once(`${standard.standard_id} ${standard.version}`, () => toast(t().news.standard(standard.title), short(standard.why), `/standards/${encodeURIComponent(standard.standard_id)}`));
  });
}
