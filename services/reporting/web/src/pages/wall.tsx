// The wall: praise before peers, how it is done, what leaders see and celebrate. Everybody in the house reads it.
import { useState } from 'preact/hooks';
import { call, query } from '../api';
import { useLive } from '../bus';
import { personName } from '../directory';
import { t } from '../i18n';
import { useCommand, usePages, type Paged } from '../loading';
import { Buttons } from '../parts/dialog';
import { Fields, objectionsOf, SelectField, TextField } from '../parts/form';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { PersonPicker } from '../parts/pickers';
import { PostItem } from '../parts/post';
import { ProblemPanel, Waiting } from '../parts/problem';
import { Tabs } from '../parts/tabs';
import { toast } from '../parts/toasts';
import type { Post, PostKind } from '../proto';
import { go, place } from '../router';
import { hasRole } from '../session';

const TITLE_MOST = 120;
const TEXT_MOST = 4000;

type Written = 'journal' | 'celebration';

function Write({ onWritten, onCancel }: { onWritten: (post: Post) => void; onCancel: () => void }) {
  const [kind, setKind] = useState<Written>(hasRole('leader') ? 'journal' : 'celebration');
  const [title, setTitle] = useState('');
  const [text, setText] = useState('');
  const [about, setAbout] = useState('');
  const command = useCommand();
  const words = t().wall;
  const kinds: readonly [Written, string][] = [['journal', t().postKinds.journal], ['celebration', t().postKinds.celebration]];
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const person = kind === 'celebration' ? about : '';
    const body = { kind, title: title.trim(), text: text.trim(), about: person, about_name: person && personName(person) };
    const isDone = await command.run(async (key) => {
      const done = await call<{ post: Post | null }>('POST', '/api/v1/posts', { body, key });
      if (done.post) onWritten(done.post);
    });
    if (isDone) toast(words.posted, '', null, 'good');
  }
  return (
    <form class="panel" onSubmit={submit} data-testid="post-form" aria-label={words.write}>
      <ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(command.problem)}>
        <div class="grid-2">
          {hasRole('leader') && <SelectField name="kind" label={words.kind} value={kind} onValue={setKind} options={kinds} />}
          {kind === 'celebration' && <PersonPicker name="about" label={words.celebrated} value={about} onValue={setAbout} />}
        </div>
        <TextField name="title" label={words.headline} value={title} onValue={setTitle} most={TITLE_MOST} />
        <TextField name="text" label={kind === 'journal' ? words.journalText : words.celebrationText} hint={kind === 'journal' ? words.journalHint : words.celebrationHint} value={text} onValue={setText} rows={5} most={TEXT_MOST} required />
      </Fields>
      <p class="hint">{words.everybody}</p>
      <Buttons busy={command.isBusy} act={words.post} onCancel={onCancel} disabled={!text.trim()} />
    </form>
  );
}

type View = 'all' | PostKind;

// A post that comes in shows if it belongs here: a changed one stays where it is, only a newer one goes on top.
function take(list: Paged<Post>, post: Post, belongs: boolean): void {
  const isShown = list.items?.some((p) => p.post_id === post.post_id);
  const newest = list.items?.[0]?.posted_at ?? '';
  if (post.withdrawn || !belongs) { if (isShown) list.put(post.post_id, null); } else if (isShown || (post.posted_at ?? '') >= newest) list.put(post.post_id, post);
}

function Posts({ view, given }: { view: View; given: Paged<Post> }) {
  const words = t().wall;
  const pinned = usePages<Post>(view === 'all' ? '/api/v1/posts?pinned=true&limit=5' : null, (p) => p.post_id);
  const changed = (post: Post): void => {
    take(given, post, view === 'all' || post.kind === view);
    take(pinned, post, post.pinned);
    if (post.pinned && pinned.items && !pinned.items.some((p) => p.post_id === post.post_id)) pinned.put(post.post_id, post);
  };
  useLive('post', changed);
  const top = pinned.items ?? [];
  const rest = given.items?.filter((p) => !top.some((x) => x.post_id === p.post_id));
  if (!rest) return <Waiting problem={given.problem} retry={given.reload} />;
  return (
    <>
      {top.length + rest.length === 0 && <div class="panel empty"><p>{hasRole('leader', 'coach') ? words.none : words.noneYet}</p></div>}
      <ul class="plain posts" data-testid="posts">{[...top, ...rest].map((p) => <PostItem key={p.post_id} post={p} onChanged={changed} />)}</ul>
      <More of={given} />
    </>
  );
}

export function WallPage() {
  const [isWriting, setWriting] = useState(false);
  const words = t().wall;
  const view = (place.value.searchParams.get('kind') ?? 'all') as View;
  const list = usePages<Post>(`/api/v1/posts${query({ kind: view === 'all' ? '' : view, limit: 20 })}`, (p) => p.post_id);
  const tabs: [View, string][] = [['all', words.all], ['praise', t().postKinds.praise], ['story', words.storiesTab], ['journal', t().postKinds.journal], ['celebration', words.celebrationsTab]];
  return (
    <div class="wall">
      <PageHead title={t().pages.wall} about={words.about}>
        {hasRole('leader', 'coach') && !isWriting && <button type="button" class="main-action" data-testid="write-post" onClick={() => setWriting(true)}>{words.write}</button>}
        <a class="button" href="/api/v1/wall.atom">{words.atom}</a></PageHead>
      {isWriting && <Write onCancel={() => setWriting(false)} onWritten={(post) => { setWriting(false); take(list, post, view === 'all' || post.kind === view); }} />}
      <Tabs label={words.which} tabs={tabs} at={view} onTab={(v) => go(`/wall${query({ kind: v === 'all' ? '' : v })}`, true)}><Posts key={view} view={view} given={list} /></Tabs>
    </div>
  );
}
