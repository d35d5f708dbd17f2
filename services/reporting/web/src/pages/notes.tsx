// Notes of or to somebody: what is behind a figure about feedback.
import type { Note } from '../proto';
import { useLive } from '../bus';
import { usePages } from '../loading';
import { dayTime, t } from '../i18n';
import { More } from '../parts/more';
import { PageHead } from '../parts/page-head';
import { Waiting } from '../parts/problem';
import { place } from '../router';

function One({ note }: { note: Note }) {
  const words = t().drill;
  return (
    <li class="panel" data-testid="note">
      <p><span class="badge">{note.kind && t().noteKinds[note.kind]}</span> <strong>{words.fromTo(note.giver_name, note.receiver_name)}</strong>
        <span class="quiet small"> {dayTime(note.given_at)}{note.criterion_title && ` · ${note.criterion_title}`}</span></p>
      <p class="wrap">{note.text}</p>
      {note.answer && <blockquote><p>{note.answer}</p><footer>{note.receiver_name}</footer></blockquote>}
      <p class="small">{note.acknowledged_at ? words.read(dayTime(note.acknowledged_at)) : words.unread} · <a href={`/moments/${note.moment_id}`}>{words.moment}</a></p>
    </li>
  );
}

export function NotesPage() {
  const list = usePages<Note>(`/api/v1/notes${place.value.search}`, (n) => n.note_id);
  useLive('note', (n) => { if (list.items?.some((x) => x.note_id === n.note_id)) list.put(n.note_id, n); });
  const words = t().drill;
  return (
    <div class="notes">
      <PageHead title={words.notes} about={words.notesAbout} />
      {!list.items ? <Waiting problem={list.problem} retry={list.reload} /> : list.items.length === 0 ? <div class="panel empty"><p>{words.noNotes}</p></div>
        : <ul class="plain">{list.items.map((n) => <One key={n.note_id} note={n} />)}</ul>}
      <More of={list} />
    </div>
  );
}
