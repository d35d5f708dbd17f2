// Every word on the page, in one place.
import type { Presence, State } from './api';

export const text = {
  states: {
    started: 'Arriving', waiting: 'Waiting', ringing: 'Ringing', talking: 'Talking', held: 'On hold', ended: 'Just ended',
  } satisfies Record<State, string>,
  stateHints: {
    started: 'In the menu, or between queues',
    waiting: 'In a queue, nobody is being rung',
    ringing: 'An agent’s phone rings',
    talking: 'With an agent',
    held: 'The customer hears music',
    ended: 'Within the last minute',
  } satisfies Record<State, string>,
  presence: {
    available: 'Available', ringing: 'Ringing', busy: 'With a customer', wrap: 'Wrapping up', break: 'On a break', offline: 'Signed off',
  } satisfies Record<Presence, string>,
  outcomes: {
    completed: 'Completed', completed_by_caller: 'Completed by caller', completed_by_agent: 'Completed by agent',
    abandoned: 'Abandoned', timeout: 'Waited too long', exit_key: 'Left by key', left_empty: 'Nobody was there',
    withdrawn: 'Taken out of the queue', blind_transfer: 'Transferred', attended_transfer: 'Transferred with introduction',
    transferred: 'Transferred', overflowed: 'Overflowed', called_back: 'Called back', lost_track: 'Lost track',
    answered: 'Answered', refused: 'Refused', never_queued: 'Never queued', voicemail: 'Voicemail', failed: 'Failed',
    bot_resolved: 'Resolved by bot',
  } as Record<string, string>,
  quality: {
    second_resolution: 'times are known to the second only',
    talk_includes_hold: 'talk time includes time on hold',
    derived_answered_at: 'the time of the answer was derived',
    incomplete: 'parts were not reported',
    ended_in_gap: 'ended while the source was out of reach',
    clock_skew: 'the source’s clock disagrees with ours',
    lost_track: 'no event for hours, closed by Moment',
  } as Record<string, string>,
  events: {
    contact_started: 'Started', contact_queued: 'Entered queue', contact_offered: 'Offered to', contact_offer_failed: 'Not taken by',
    contact_answered: 'Answered by', contact_held: 'Put on hold', contact_resumed: 'Taken off hold', contact_transferred: 'Transferred',
    contact_agent_ended: 'Agent left', contact_abandoned: 'Customer gave up', contact_left_queue: 'Left the queue',
    contact_refused: 'Turned away', contact_ended: 'Ended', contact_wrapped_up: 'Wrapped up', contact_updated: 'Updated',
    contact_summarised: 'Summary from the source', feedback_requested: 'Survey asked', feedback_received: 'Survey answered',
    contact_lost: 'Nothing heard for too long', contact_linked: 'Linked to another contact',
  } as Record<string, string>,
  metrics: {
    wait_ms: 'Wait', ring_ms: 'Ring', talk_ms: 'Talk', hold_ms: 'Hold', hold_longest_ms: 'Longest hold', hold_count: 'Holds',
    wrap_ms: 'Wrap', transfers: 'Transfers', csat: 'Customer satisfaction', nps: 'Would recommend', visits: 'Queue visits',
  } as Record<string, string>,
  definitions: {
    abandons_ignored: 'answered in time ÷ (all − abandoned in time)',
    abandons_count_for: '(answered + abandoned in time) ÷ all',
    abandons_count_against: 'answered in time ÷ all',
    answered_only: 'answered in time ÷ answered',
    switchable: '(answered − missed) ÷ all but short abandons',
  } as Record<string, string>,
};

export const word = (table: Record<string, string>, key: string | null | undefined): string =>
  key ? (table[key] ?? key.replaceAll('_', ' ')) : '–';

// "service_level.abandons_ignored@1" -> "abandons_ignored"
export const shortDefinition = (definition: string): string => definition.replace(/^[^.]*\./, '').replace(/@.*$/, '');

export const percent = (value: number | null | undefined, digits = 0): string =>
  value === null || value === undefined ? 'no data' : `${(value * 100).toFixed(digits)} %`;
