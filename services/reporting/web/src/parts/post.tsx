// One post of the wall: what was said, who reacted how, and what others say to it.
import { useState } from 'preact/hooks';
import { call, path } from '../api';
import { dayTime, t } from '../i18n';
import { useCommand } from '../loading';
import type { Comment, Post, ReactionKind } from '../proto';
import { hasRole, isAboutMe, isMe, user } from '../session';
import { Buttons, Dialog } from './dialog';
import { Fields, objectionsOf, TextField } from './form';
import { ProblemPanel } from './problem';
import { TellStory } from './story';
import { toast } from './toasts';

const COMMENT_MOST = 1000;
const KINDS: readonly ReactionKind[] = ['thanks', 'applause', 'heart', 'laugh', 'inspired'];

type Changed = (post: Post) => void;
type Answer = { post: Post | null };

// Who may see the moment behind a post; the wall itself is everybody's.
function seesMoment(post: Post): boolean {
  const who = user.value;
  if (!post.moment_id || !who) return false;
  if (isAboutMe(post.about)) return true;
  const inScope = (own: readonly string[], its: string): boolean => own.length === 0 || own.includes(its);
  return hasRole('leader', 'coach', 'integrator') && inScope(who.sites, post.site) && inScope(who.teams, post.team_id);
}

function Reactions({ post, onChanged }: { post: Post; onChanged: Changed }) {
  const command = useCommand();
  const words = t().wall;
  const isOwn = isMe(post.author);
  const by = (kind: ReactionKind): string[] => post.reactions.filter((r) => r.kind === kind).map((r) => r.name);
  const isMine = (kind: ReactionKind): boolean => post.reactions.some((r) => r.kind === kind && isMe(r.user_id));
  async function press(kind: ReactionKind): Promise<void> {
    await command.run(async (key) => {
      const done = await call<Answer>('POST', path('/api/v1/posts/{}/reactions', post.post_id), { body: { kind, remove: isMine(kind) }, key });
      if (done.post) onChanged(done.post);
    });
  }
  const mayReact = !isOwn && hasRole('leader', 'coach', 'agent');
  return (
    <div>
      <div class="reactions" role="group" aria-label={words.reactions}>{KINDS.map((kind) => {
        const n = by(kind).length;
        const text = <>{t().reactions[kind]}{n > 0 && <span class="count">{n}</span>}</>;
        if (!mayReact) return n > 0 && <span key={kind} class="chip">{text}</span>;
        return <button key={kind} type="button" class="reaction" data-testid={`react-${kind}`} aria-pressed={isMine(kind)} disabled={command.isBusy} onClick={() => void press(kind)}>{text}</button>;
      })}</div>
      {post.reactions.length > 0 && <details class="small"><summary>{words.whoReacted}</summary>
        <ul class="plain">{KINDS.filter((k) => by(k).length).map((k) => <li key={k}>{t().reactions[k]}: {by(k).join(', ')}</li>)}</ul></details>}
      <ProblemPanel problem={command.problem} />
    </div>
  );
}

function OneComment({ post, comment, onChanged }: { post: Post; comment: Comment; onChanged: Changed }) {
  const command = useCommand();
  const words = t().wall;
  async function withdraw(): Promise<void> {
    await command.run(async (key) => {
      const done = await call<Answer>('DELETE', path('/api/v1/posts/{}/comments/{}', post.post_id, comment.comment_id), { key });
      if (done.post) onChanged(done.post);
    });
  }
  return (
    <li class="comment" data-testid="comment">
      <p><strong>{comment.author_name}</strong> <time class="quiet small" dateTime={comment.at ?? ''}>{dayTime(comment.at)}</time></p>
      <p class="wrap">{comment.withdrawn ? <span class="quiet">{words.commentGone}</span> : comment.text}</p>
      {!comment.withdrawn && isMe(comment.author) && <button type="button" class="link-button small" disabled={command.isBusy} onClick={() => void withdraw()}>{words.takeBack}</button>}
      <ProblemPanel problem={command.problem} />
    </li>
  );
}

function Comments({ post, onChanged }: { post: Post; onChanged: Changed }) {
  const [text, setText] = useState('');
  const command = useCommand();
  const words = t().wall;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const isDone = await command.run(async (key) => {
      const done = await call<Answer>('POST', path('/api/v1/posts/{}/comments', post.post_id), { body: { text: text.trim() }, key });
      if (done.post) onChanged(done.post);
    });
    if (isDone) setText('');
  }
  return (
    <details class="comments"><summary data-testid="comments">{words.comments(post.comments.filter((c) => !c.withdrawn).length)}</summary>
      <ul class="plain">{post.comments.map((c) => <OneComment key={c.comment_id} post={post} comment={c} onChanged={onChanged} />)}</ul>
      {hasRole('leader', 'coach', 'agent') && (
        <form onSubmit={submit} data-testid="comment-form">
          <ProblemPanel problem={command.problem} />
          <Fields objections={objectionsOf(command.problem)}><TextField name="text" label={words.comment} value={text} onValue={setText} rows={2} most={COMMENT_MOST} required /></Fields>
          <Buttons busy={command.isBusy} act={words.sendComment} disabled={!text.trim()} />
        </form>)}
    </details>
  );
}

function Withdraw({ post, onClose, onChanged }: { post: Post; onClose: () => void; onChanged: Changed }) {
  const [because, setBecause] = useState('');
  const command = useCommand();
  const words = t().wall;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const isDone = await command.run(async (key) => {
      const done = await call<Answer>('POST', path('/api/v1/posts/{}/withdraw', post.post_id), { body: { because: because.trim() }, key });
      onChanged(done.post ?? { ...post, withdrawn: true });
    });
    if (!isDone) return;
    toast(words.withdrawn);
    onClose();
  }
  return (
    <Dialog title={words.withdrawTitle} onClose={onClose}>
      <form onSubmit={submit}><p>{words.withdrawAbout}</p><ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}><TextField name="because" label={words.because} value={because} onValue={setBecause} most={1000} required /></Fields>
        <Buttons busy={command.isBusy} act={words.withdraw} onCancel={onClose} /></form>
    </Dialog>
  );
}

function Care({ post, onChanged }: { post: Post; onChanged: Changed }) {
  const [isAsking, setAsking] = useState(false);
  const command = useCommand();
  const words = t().wall;
  async function pin(): Promise<void> {
    await command.run(async (key) => {
      const done = await call<Answer>('POST', path('/api/v1/posts/{}/pin', post.post_id), { body: { pinned: !post.pinned }, key });
      if (done.post) onChanged(done.post);
    });
  }
  const mayWithdraw = isMe(post.author) || hasRole('leader');
  if (!mayWithdraw) return null;
  return (
    <div class="buttons">
      {hasRole('leader') && <button type="button" data-testid="pin" aria-pressed={post.pinned} disabled={command.isBusy} onClick={() => void pin()}>{post.pinned ? words.unpin : words.pin}</button>}
      <button type="button" data-testid="withdraw" onClick={() => setAsking(true)}>{words.withdraw}…</button>
      <ProblemPanel problem={command.problem} />
      {isAsking && <Withdraw post={post} onClose={() => setAsking(false)} onChanged={onChanged} />}
    </div>
  );
}

function Headline({ post }: { post: Post }) {
  const words = t().wall;
  const about = post.about_name && post.about_name !== post.author_name ? words.toWhom(post.author_name, post.about_name) : post.author_name;
  return (
    <p class="post-head"><span class="badge">{post.kind && t().postKinds[post.kind]}</span>{post.pinned && <span class="badge">{words.pinned}</span>} <strong>{about}</strong>{' '}
      <time class="quiet small" dateTime={post.posted_at ?? ''}>{dayTime(post.posted_at)}</time></p>
  );
}

export function PostItem({ post, onChanged }: { post: Post; onChanged: Changed }) {
  const words = t().wall;
  const mayTell = post.kind === 'praise' && isAboutMe(post.about) && !post.story_id && hasRole('agent');
  return (
    <li class={`panel post is-${post.kind}`} id={post.post_id} data-testid="post" data-post={post.post_id} data-kind={post.kind}>
      <Headline post={post} />
      {post.title && <h3>{post.title}</h3>}
      <p class="wrap post-text">{post.text}</p>
      <p class="small quiet">{post.criterion_title && <span>{post.criterion_title} </span>}{seesMoment(post) && <a href={`/moments/${post.moment_id}`}>{t().drill.moment}</a>}
        {post.praise_id && <span> {words.storyOf}</span>}{post.story_id && <span> {words.storyTold}</span>}</p>
      <Reactions post={post} onChanged={onChanged} />
      <Comments post={post} onChanged={onChanged} />
      {mayTell && <details><summary data-testid="tell-story">{words.yourStory}</summary><TellStory praiseId={post.post_id} onTold={() => onChanged({ ...post, story_id: 'told' })} /></details>}
      <Care post={post} onChanged={onChanged} />
    </li>
  );
}
