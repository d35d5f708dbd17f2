// The versions of a standard: what changed, and going on, back, or to an end.
import { useState } from 'preact/hooks';
import { call, path } from '../api';
import { siteName } from '../directory';
import { dayTime, list as listed, t, word } from '../i18n';
import { useCommand } from '../loading';
import type { Standard } from '../proto';
import { hasRole } from '../session';
import { differences } from '../standard';
import { Buttons, Dialog } from './dialog';
import { Fields, objectionsOf, TextField } from './form';
import { ProblemPanel } from './problem';
import { toast } from './toasts';

const TEXT_MOST = 2000;

export const isCanary = (s: Standard): boolean => s.state === 'published' && s.canary_sites.length > 0 && !s.rolled_out_at;

interface Asked {
  title: string;
  about: string;
  act: string;
  // The field for a reason, where one is needed.
  reason: 'why' | 'because' | null;
  address: string;
  body: Record<string, unknown>;
  said: string;
}

function Ask({ asked, onClose, onDone }: { asked: Asked; onClose: () => void; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const command = useCommand();
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const body = asked.reason ? { ...asked.body, [asked.reason]: reason.trim() } : asked.body;
    if (!(await command.run((key) => call('POST', asked.address, { body, key })))) return;
    toast(asked.said, '', null, 'good');
    onDone();
    onClose();
  }
  return (
    <Dialog title={asked.title} onClose={onClose}>
      <form onSubmit={submit}>
        <p>{asked.about}</p>
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          {asked.reason && <TextField name={asked.reason} label={t().standards.because} value={reason} onValue={setReason} rows={2} most={TEXT_MOST} required />}
        </Fields>
        <Buttons busy={command.isBusy} act={asked.act} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

function Changes({ version, before }: { version: Standard; before: Standard | undefined }) {
  const words = t().standards;
  if (!before) return <p class="quiet small">{words.first}</p>;
  const said = differences(before, version);
  return (
    <details class="small" data-testid="differences"><summary>{words.differences(before.version)}</summary>
      {said.length === 0 ? <p>{words.same}</p> : <ul>{said.map((s, i) => <li key={i}>{s}</li>)}</ul>}</details>
  );
}

function rollOut(s: Standard): Asked {
  const words = t().standards;
  return { title: words.rollOutTitle, about: words.rollOutAbout(listed(s.canary_sites.map(siteName))), act: words.rollOut, reason: null, address: path('/api/v1/standards/{}/roll-out', s.standard_id), body: { version: s.version }, said: words.rolledOut };
}
function rollBack(s: Standard, newest: number): Asked {
  const words = t().standards;
  return { title: words.rollBackTitle(s.version), about: words.rollBackAbout, act: words.rollBack, reason: 'why', address: path('/api/v1/standards/{}/roll-back', s.standard_id), body: { to_version: s.version }, said: words.rolledBack(newest + 1) };
}
function retire(s: Standard): Asked {
  const words = t().standards;
  return { title: words.retireTitle, about: words.retireAbout, act: words.retire.replace('…', ''), reason: 'because', address: path('/api/v1/standards/{}/retire', s.standard_id), body: {}, said: words.retired };
}

export function Versions({ versions, onDone }: { versions: readonly Standard[]; onDone: () => void }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const words = t().standards;
  const newest = versions[0];
  if (!newest) return <p class="quiet">{words.notPublished}</p>;
  const mayAct = hasRole('leader') && newest.state !== 'retired';
  return (
    <>
      <ol class="plain versions" reversed>{versions.map((v, i) => (
        <li key={v.version} class="panel" data-testid="version">
          <h3>{words.v(v.version)} <span class="badge">{word(t().standardStates, v.state)}</span>{isCanary(v) && <span class="badge">{words.canary(listed(v.canary_sites.map(siteName)))}</span>}</h3>
          <p class="quiet small">{words.signed(v.signed_by, dayTime(v.published_at))}; {words.from(dayTime(v.effective_at))}{v.copy_of_version > 0 && `; ${words.copyOf(v.copy_of_version)}`}</p>
          {v.retired_at && <p class="small">{words.retiredBy(v.retired_by_name || v.retired_by, v.retired_because)}</p>}
          <p>{v.why}</p>
          <Changes version={v} before={versions[i + 1]} />
          {mayAct && (
            <div class="buttons">
              {isCanary(v) && i === 0 && <button type="button" class="main-action" onClick={() => setAsked(rollOut(v))}>{words.rollOut}</button>}
              {i > 0 && <button type="button" onClick={() => setAsked(rollBack(v, newest.version))}>{words.rollBack}<span class="only-heard">: {words.v(v.version)}</span></button>}
              {i === 0 && <button type="button" class="danger" onClick={() => setAsked(retire(v))}>{words.retire}</button>}
            </div>)}
        </li>))}</ol>
      {asked && <Ask asked={asked} onClose={() => setAsked(null)} onDone={onDone} />}
    </>
  );
}
