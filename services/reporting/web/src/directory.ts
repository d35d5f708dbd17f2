// Names of sites, teams, people and queues: asked for once, when a page needs them first.
import { signal } from '@preact/signals';
import { getDirectory, type Directory } from './api';

const NOTHING: Directory = { sites: [], teams: [], people: [], queues: [] };
const known = signal(NOTHING);
let isAsked = false;

export function directory(): Directory {
  if (!isAsked) {
    isAsked = true;
    getDirectory().then((d) => { known.value = d; }, () => { isAsked = false; });
  }
  return known.value;
}

export function forgetDirectory(): void {
  isAsked = false;
  known.value = NOTHING;
}

// Ids stand for themselves where the directory has no name for them.
export const siteName = (id: string): string => directory().sites.find((s) => s.site_id === id)?.name || id;
export const teamName = (id: string): string => directory().teams.find((x) => x.team_id === id)?.name || id;
export const queueName = (id: string): string => directory().queues.find((q) => q.queue_id === id)?.name || id;
export const personName = (id: string): string => directory().people.find((p) => p.person_id === id)?.name || id;
