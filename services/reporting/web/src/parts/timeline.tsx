// A moment as a picture: one bar per visit, cut into waiting, ringing, talking and hold.
import type { Moment, MomentEvent, Visit } from '../api';
import { now } from '../clock';
import { clockTime, span, t } from '../i18n';

interface Piece { kind: 'ivr' | 'wait' | 'ring' | 'talk' | 'hold'; from: number; to: number }

const ms = (time: string | null): number => (time ? Date.parse(time) : NaN);

function piecesOf(visit: Visit, holds: [number, number][], end: number): Piece[] {
  const entered = ms(visit.entered_at);
  const answered = ms(visit.answered_at);
  const ended = visit.ended_at ? ms(visit.ended_at) : end;
  if (Number.isNaN(entered)) return [];
  if (Number.isNaN(answered)) return [{ kind: 'wait', from: entered, to: ended }];
  const ring = Math.min(visit.ring_ms ?? 0, answered - entered);
  const pieces: Piece[] = [
    { kind: 'wait', from: entered, to: answered - ring },
    { kind: 'ring', from: answered - ring, to: answered },
    { kind: 'talk', from: answered, to: ended },
  ];
  for (const [from, to] of holds)
    if (from < ended && to > answered) pieces.push({ kind: 'hold', from: Math.max(from, answered), to: Math.min(to, ended) });
  return pieces.filter((p) => p.to > p.from);
}

function holdsOf(events: MomentEvent[], end: number): [number, number][] {
  const holds: [number, number][] = [];
  let from: number | null = null;
  for (const e of [...events].sort((a, b) => ms(a.occurred_at) - ms(b.occurred_at))) {
    if (e.type === 'contact_held' && from === null) from = ms(e.occurred_at);
    else if (from !== null && /^contact_(resumed|agent_ended|ended)$/.test(e.type ?? '')) {
      holds.push([from, ms(e.occurred_at)]);
      from = null;
    }
  }
  if (from !== null) holds.push([from, end]);
  return holds;
}

export function Timeline({ moment, events }: { moment: Moment; events: MomentEvent[] }) {
  const start = Math.min(...[ms(moment.started_at), ...moment.visits.map((v) => ms(v.entered_at))].filter((t) => !Number.isNaN(t)));
  const end = moment.ended_at ? Math.max(ms(moment.ended_at), ...moment.visits.map((v) => ms(v.ended_at) || 0)) : now.value;
  if (!Number.isFinite(start)) return null;
  const length = Math.max(1000, end - start);
  const at = (t: number): number => ((t - start) / length) * 1000;
  const holds = holdsOf(events, end);
  const height = Math.max(1, moment.visits.length) * 46 + 6;
  const words = t().moment;
  const label = words.timelineOf(moment.visits.map((v) => words.visitOf(v.queue ?? '', span(v.wait_ms), span(v.talk_ms))).join('; ') || t().floor.noQueue);
  return (
    <figure class="timeline">
      <svg viewBox={`0 0 1000 ${height}`} height={height} role="img" aria-label={label} preserveAspectRatio="none">
        {moment.visits.map((visit, i) => {
          const from = ms(visit.entered_at);
          return piecesOf(visit, holds, end).map((p, j) => (
            <g key={`${i}.${j}`}>
              <rect class={`piece-${p.kind}`} x={at(p.from)} y={i * 46 + 8} width={Math.max(2, at(p.to) - at(p.from))} height="26" rx="3">
                <title>{words.pieceOf(visit.queue ?? '', words.pieces[p.kind], span(p.to - p.from), clockTime(p.from || from))}</title>
              </rect>
            </g>
          ));
        })}
        {moment.visits.length === 0 && <rect class="piece-ivr" x="0" y="8" width="1000" height="26" rx="3"><title>{words.pieces.ivr}</title></rect>}
      </svg>
      <figcaption>
        <span class="num">{clockTime(moment.started_at)}</span>
        <span class="legend">{(['wait', 'ring', 'talk', 'hold'] as const).map((k) => <span key={k}><i class={`swatch piece-${k}`} /> {words.pieces[k]}</span>)}</span>
        <span class="num">{moment.ended_at ? clockTime(moment.ended_at) : t().now}</span>
      </figcaption>
    </figure>
  );
}
