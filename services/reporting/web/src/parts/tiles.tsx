// The floor in six numbers.
import { computed } from '@preact/signals';
import * as floor from '../floor';
import { number, percent, shortDefinition, span, t, word } from '../i18n';

export const LONG_WAIT_MS = 20_000;

function Tile({ name, value, hint, tone, testid }: {
  name: string; value: string; hint: string; tone?: 'bad' | 'good' | undefined; testid: string;
}) {
  return (
    <div class={`tile ${tone ? `is-${tone}` : ''}`} data-testid={testid}>
      <dt>{name}</dt>
      <dd><strong>{value}</strong><span class="quiet small">{hint}</span></dd>
    </div>
  );
}

const availableCount = computed(() => [...floor.people.value.values()].filter((p) => p.presence === 'available').length);
const signedOnCount = computed(() => [...floor.people.value.values()].filter((p) => p.presence && p.presence !== 'offline').length);

export function Tiles() {
  const states = floor.byState.value;
  const longest = floor.longestWait.value;
  const level = floor.serviceLevel.value;
  const waiting = states.waiting.length + states.ringing.length;
  const definition = level ? shortDefinition(level.definition) : '';
  const words = t().floor;
  return (
    <dl class="tiles">
      <Tile testid="tile-waiting" name={words.waiting} value={String(waiting)} hint={waiting ? words.inQueue : words.nobodyWaits} />
      <Tile testid="tile-longest" name={words.longest} value={span(longest)} tone={longest !== null && longest > LONG_WAIT_MS ? 'bad' : undefined}
        hint={longest === null ? words.nobodyWaits : words.sinceQueue} />
      <Tile testid="tile-talking" name={words.withAgent} value={String(states.talking.length + states.held.length)}
        hint={states.held.length ? words.onHold(states.held.length) : words.nobodyOnHold} />
      <Tile testid="tile-level" name={words.level(level?.threshold_s ?? 20)} value={percent(level?.value)}
        hint={level ? words.levelHint(word(t().definitions, definition), number(level.n)) : ''} />
      <Tile testid="tile-people" name={words.available} value={String(availableCount.value)} hint={words.ofSignedOn(signedOnCount.value)} />
      <Tile testid="tile-alerts" name={words.openAlerts} value={String(floor.openAlerts.value.length)}
        tone={floor.openAlerts.value.length ? 'bad' : undefined} hint={floor.openAlerts.value.length ? words.seeBelow : words.allQuiet} />
    </dl>
  );
}
