// Saves what is being edited a moment after the last change, one save at a time, on top of the revision
// that was read. 412: somebody else saved meanwhile; then nothing is sent until a person has chosen.
import { problemIn, type Problem } from './api';

export type SaveState =
  | { kind: 'clean' }
  | { kind: 'waiting' }
  | { kind: 'saving' }
  | { kind: 'saved'; at: number }
  | { kind: 'failed'; problem: Problem }
  | { kind: 'stale' };

export interface Saver<T> {
  // Stores the whole value; the revision that it has now.
  save: (value: T, revision: number) => Promise<number>;
  // The revision that somebody else made, for "keep mine".
  newest: () => Promise<number>;
  changed: (state: SaveState) => void;
}

const PAUSE_MS = 800;

export class Autosave<T> {
  private value: T | undefined;
  private isDirty = false;
  private isSaving = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private settled: (() => void)[] = [];
  state: SaveState = { kind: 'clean' };

  constructor(
    public revision: number,
    private readonly saver: Saver<T>,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  edit(value: T): void {
    this.value = value;
    this.isDirty = true;
    if (this.state.kind === 'stale') return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), this.pauseMs);
    if (!this.isSaving) this.say({ kind: 'waiting' });
  }

  // Everything that was edited is on the server, or why not.
  async flush(): Promise<SaveState> {
    clearTimeout(this.timer);
    await this.send();
    if (this.isSaving) await new Promise<void>((done) => this.settled.push(done));
    return this.state;
  }

  async keepMine(): Promise<void> {
    try {
      this.revision = await this.saver.newest();
    } catch (error) {
      this.say({ kind: 'failed', problem: problemIn(error) });
      return;
    }
    this.isDirty = true;
    this.state = { kind: 'waiting' };
    await this.send();
  }

  // Nothing more is sent.
  stop(): void {
    clearTimeout(this.timer);
    this.isDirty = false;
  }

  private async send(): Promise<void> {
    if (this.isSaving || !this.isDirty || this.state.kind === 'stale') return;
    this.isSaving = true;
    this.isDirty = false;
    this.say({ kind: 'saving' });
    const next = await this.attempt(this.value as T);
    this.isSaving = false;
    this.say(next);
    // What was typed while that was under way.
    if (this.isDirty && next.kind === 'saved') await this.send();
    for (const done of this.settled.splice(0)) done();
  }

  private async attempt(value: T): Promise<SaveState> {
    try {
      this.revision = await this.saver.save(value, this.revision);
      return { kind: 'saved', at: Date.now() };
    } catch (error) {
      const problem = problemIn(error);
      this.isDirty = true;
      return problem.status === 412 || problem.status === 428 ? { kind: 'stale' } : { kind: 'failed', problem };
    }
  }

  private say(state: SaveState): void {
    this.state = state;
    this.saver.changed(state);
  }
}
