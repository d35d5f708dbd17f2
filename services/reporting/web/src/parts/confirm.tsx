// A question before what cannot be undone.
import type { ComponentChildren } from 'preact';
import { useCommand } from '../loading';
import { Buttons, Dialog } from './dialog';
import { ProblemPanel } from './problem';

export function Confirm({ title, about, act, work, onClose, onDone }: {
  title: string; about: ComponentChildren; act: string; work: (key: string) => Promise<unknown>; onClose: () => void; onDone: () => void;
}) {
  const command = useCommand();
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    if (await command.run(work)) onDone();
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}><p>{about}</p><ProblemPanel problem={command.problem} /><Buttons busy={command.isBusy} act={act} onCancel={onClose} /></form>
    </Dialog>
  );
}
