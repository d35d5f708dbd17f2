// The live feed: one EventSource that survives restarts of the server and never shows an update twice.
// Runs in the shared worker (one connection for all tabs) or, where there is none, in the page.

export type FeedMessage =
  | { kind: 'update'; seq: number; id: string; data: string }
  | { kind: 'beat'; data: string }
  | { kind: 'reset' }
  | { kind: 'state'; state: 'connecting' | 'open' | 'lost' | 'refused' };

const KEPT = 2000;
const RETRY_MS_MAX = 10_000;

export const seqOf = (id: string): number => Number(id.slice(id.indexOf('-') + 1));

export class Feed {
  private source: EventSource | null = null;
  private last: string;
  private kept: FeedMessage[] = [];
  private keptFrom: number;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private state: FeedMessage = { kind: 'state', state: 'connecting' };

  constructor(
    position: string,
    private readonly deliver: (message: FeedMessage) => void,
  ) {
    this.last = position;
    this.keptFrom = seqOf(position);
    this.connect();
  }

  // What a tab that knows everything up to `position` has missed; null: too much, it must start over.
  since(position: string): FeedMessage[] | null {
    const seq = seqOf(position);
    if (seq < this.keptFrom) return null;
    return [...this.kept.filter((m) => m.kind === 'update' && m.seq > seq), this.state];
  }

  close(): void {
    clearTimeout(this.timer);
    this.source?.close();
  }

  private connect(): void {
    // EventSource sends Last-Event-ID when it reconnects by itself; the first time we say it.
    const source = new EventSource(`/api/v1/live?after=${encodeURIComponent(this.last)}`);
    this.source = source;
    source.onopen = () => {
      this.attempts = 0;
      this.say('open');
    };
    source.addEventListener('update', (event) => this.onUpdate(event as MessageEvent<string>));
    source.addEventListener('beat', (event) =>
      this.deliver({ kind: 'beat', data: (event as MessageEvent<string>).data }),
    );
    source.addEventListener('reset', () => {
      this.close();
      this.deliver({ kind: 'reset' });
    });
    source.onerror = () => this.onError(source);
  }

  private onUpdate(event: MessageEvent<string>): void {
    const seq = seqOf(event.lastEventId);
    if (seq <= seqOf(this.last)) return;
    this.last = event.lastEventId;
    const message: FeedMessage = { kind: 'update', seq, id: event.lastEventId, data: event.data };
    this.kept.push(message);
    if (this.kept.length > KEPT) {
      const gone = this.kept.shift();
      if (gone?.kind === 'update') this.keptFrom = gone.seq;
    }
    this.deliver(message);
  }

  // EventSource gives up for good on any answer but 200 and on a cut during start-up: begin again ourselves.
  private onError(source: EventSource): void {
    this.say('lost');
    source.close();
    clearTimeout(this.timer);
    const wait = Math.min(RETRY_MS_MAX, 250 * 2 ** this.attempts++) * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.connect(), wait);
  }

  private say(state: 'open' | 'lost'): void {
    this.state = { kind: 'state', state };
    this.deliver(this.state);
  }
}
