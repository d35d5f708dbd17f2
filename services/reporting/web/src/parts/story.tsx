// The praised are asked how they do it, so that others can learn it.
import { useState } from 'preact/hooks';
import { call, path } from '../api';
import { t } from '../i18n';
import { useCommand } from '../loading';
import type { Post } from '../proto';
import { Buttons } from './dialog';
import { Fields, objectionsOf, TextField } from './form';
import { ProblemPanel } from './problem';
import { toast } from './toasts';

const TEXT_MOST = 4000;

export function TellStory({ praiseId, onTold }: { praiseId: string; onTold: (story: Post) => void }) {
  const [text, setText] = useState('');
  const command = useCommand();
  const words = t().wall;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const isDone = await command.run(async (key) => {
      const done = await call<{ post: Post | null }>('POST', path('/api/v1/posts/{}/story', praiseId), { body: { text: text.trim() }, key });
      if (done.post) onTold(done.post);
    });
    if (isDone) toast(words.told, '', '/wall', 'good');
  }
  return (
    <form class="inline-form" onSubmit={submit} data-testid="story-form">
      <ProblemPanel problem={command.problem} />
      <Fields objections={objectionsOf(command.problem)}><TextField name="text" label={words.howDone} hint={words.howDoneHint} value={text} onValue={setText} rows={4} most={TEXT_MOST} required /></Fields>
      <Buttons busy={command.isBusy} act={words.tell} disabled={!text.trim()} />
    </form>
  );
}
