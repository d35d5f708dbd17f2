// Where posts are sent as they change. For leaders and integrators.
import { useState } from 'preact/hooks';
import { call, path, query } from '../api';
import { dayTime, list as listed, number, t, word } from '../i18n';
import { useCommand, useLoaded, usePages } from '../loading';
import { Confirm } from '../parts/confirm';
import { Buttons, Dialog } from '../parts/dialog';
import { ChecksField, Fields, objectionsOf, optionsOf, TextField } from '../parts/form';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { ProblemPanel, Waiting } from '../parts/problem';
import { Secret } from '../parts/secret';
import { toast } from '../parts/toasts';
import type { AddWebhookResponse, DeadLetter, ListWebhooksResponse, PostKind, ReplayWebhookResponse, Webhook } from '../proto';

function Add({ onClose, onDone }: { onClose: () => void; onDone: (secret: string) => void }) {
  const [url, setUrl] = useState('');
  const [kinds, setKinds] = useState<PostKind[]>([]);
  const command = useCommand();
  const words = t().webhooks;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    let secret = '';
    if (await command.run(async (key) => { ({ secret } = await call<AddWebhookResponse>('POST', '/api/v1/webhooks', { body: { url: url.trim(), kinds }, key })); })) onDone(secret);
  }
  return (
    <Dialog title={words.add} onClose={onClose}>
      <form onSubmit={submit}>
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          <TextField name="url" type="url" label={words.url} hint={words.urlHint} value={url} onValue={setUrl} most={2000} required />
          <ChecksField name="kinds" label={words.kinds} hint={words.allKinds} values={kinds} onValues={setKinds} options={optionsOf(t().postKinds)} />
        </Fields>
        <Buttons busy={command.isBusy} act={t().action.add} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

function Replay({ hook, onClose }: { hook: Webhook; onClose: () => void }) {
  const [since, setSince] = useState('');
  const command = useCommand();
  const words = t().webhooks;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const body = { since_at: since ? new Date(since).toISOString() : null };
    const isDone = await command.run(async (key) => {
      const { deliveries } = await call<ReplayWebhookResponse>('POST', path('/api/v1/webhooks/{}/replay', hook.webhook_id), { body, key });
      toast(words.replayed(deliveries), hook.url, null, 'good');
    });
    if (isDone) onClose();
  }
  return (
    <Dialog title={words.replay} onClose={onClose}>
      <form onSubmit={submit}><p>{words.replayAbout}</p><ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}><TextField name="since_at" type="datetime-local" label={words.since} hint={words.sinceHint} value={since} onValue={setSince} /></Fields>
        <Buttons busy={command.isBusy} act={words.replay} onCancel={onClose} /></form>
    </Dialog>
  );
}

function Letters({ id }: { id: string }) {
  const list = usePages<DeadLetter>(`${path('/api/v1/webhooks/{}/dead-letters', id)}${query({ limit: 20 })}`, (l) => l.delivery_id);
  const words = t().webhooks;
  if (!list.items) return <Waiting problem={list.problem} retry={list.reload} />;
  if (list.items.length === 0) return <p class="quiet">{words.noLetters}</p>;
  return (
    <><ul class="plain rows">{list.items.map((l) => <li key={l.delivery_id}><time dateTime={l.died_at ?? ''}>{dayTime(l.died_at)}</time><span>{l.error}</span><span class="quiet">{words.attempts(l.attempts)}</span></li>)}</ul><More of={list} /></>
  );
}

function Hook({ hook, reload }: { hook: Webhook; reload: () => void }) {
  const [asked, ask] = useState<'nothing' | 'replay' | 'remove'>('nothing');
  const [hasLetters, setLetters] = useState(false);
  const command = useCommand();
  const words = t().webhooks;
  const enable = async (): Promise<void> => {
    if (await command.run((key) => call('POST', path('/api/v1/webhooks/{}/enable', hook.webhook_id), { body: { enabled: !hook.enabled }, key }))) reload();
  };
  return (
    <li class="panel" data-testid="webhook">
      <h2 class="wrap">{hook.url}</h2>
      <p><span class="badge">{word(t().webhookStates, hook.state)}</span> {hook.detail}</p>
      <p class="quiet small">{hook.kinds.length ? listed(hook.kinds.map((k) => t().postKinds[k])) : words.allKinds} · {words.delivered}: {number(hook.delivered)} · {words.dead}: {number(hook.dead)} · {words.last}: {dayTime(hook.last_delivered_at)}</p>
      <ProblemPanel problem={command.problem} />
      <div class="buttons">
        <button type="button" onClick={() => void enable()} disabled={command.isBusy}>{hook.enabled ? words.disable : words.enable}</button>
        <button type="button" onClick={() => ask('replay')}>{words.replay}…</button>
        <button type="button" class="danger" onClick={() => ask('remove')}>{t().action.remove}…</button>
      </div>
      <details class="small" onToggle={(e) => setLetters(e.currentTarget.open)}><summary>{words.letters}</summary>{hasLetters && <Letters id={hook.webhook_id} />}</details>
      {asked === 'replay' && <Replay hook={hook} onClose={() => { ask('nothing'); reload(); }} />}
      {asked === 'remove' && <Confirm title={words.removeTitle} about={words.removeAbout} act={t().action.remove} onClose={() => ask('nothing')} onDone={() => { toast(words.removed); reload(); }}
        work={(key) => call('DELETE', path('/api/v1/webhooks/{}', hook.webhook_id), { key })} />}
    </li>
  );
}

export function WebhooksPage() {
  const { data, problem, reload } = useLoaded<ListWebhooksResponse>('/api/v1/webhooks');
  const [isAdding, setAdding] = useState(false);
  const [secret, setSecret] = useState('');
  const words = t().webhooks;
  const hooks = data?.webhooks.filter((h) => !h.removed) ?? [];
  return (
    <div class="webhooks">
      <PageHead title={words.title} about={words.about}><button type="button" class="main-action" onClick={() => setAdding(true)}>{words.add}</button></PageHead>
      {!data ? <Waiting problem={problem} retry={reload} /> : hooks.length === 0 ? <div class="panel empty"><p>{words.none}</p></div>
        : <ul class="plain">{hooks.map((h) => <Hook key={h.webhook_id} hook={h} reload={reload} />)}</ul>}
      {isAdding && <Add onClose={() => setAdding(false)} onDone={(s) => { setAdding(false); setSecret(s); reload(); }} />}
      {secret && <Secret title={words.secret} about={words.secretAbout} secret={secret} onClose={() => setSecret('')} />}
    </div>
  );
}
