// Every page: where it is, for whom, and the file that is loaded when somebody goes there.
import type { ComponentType } from 'preact';
import type { Role, User } from './api';
import type { Words } from './words/en';

export type Page = ComponentType<{ id: string }>;

export interface Route {
  // What is in brackets is the page's id.
  at: RegExp;
  roles: readonly Role[];
  load: () => Promise<Page>;
}

const LEADERS: readonly Role[] = ['leader', 'coach'];
const READERS: readonly Role[] = [...LEADERS, 'agent', 'integrator'];

export const ROUTES: readonly Route[] = [
  { at: /^\/today$/, roles: LEADERS, load: async () => (await import('./pages/today')).TodayPage },
  { at: /^\/floor$/, roles: READERS, load: async () => (await import('./pages/floor')).FloorPage },
  { at: /^\/moments$/, roles: READERS, load: async () => (await import('./pages/moments')).MomentsPage },
  { at: /^\/moments\/([0-9a-f-]{36})$/, roles: READERS, load: async () => (await import('./pages/moment')).MomentPage },
  { at: /^\/standards$/, roles: READERS, load: async () => (await import('./pages/standards')).StandardsPage },
  { at: /^\/standards\/([^/]+)$/, roles: READERS, load: async () => (await import('./pages/standard')).StandardPage },
  { at: /^\/alerts$/, roles: [...LEADERS, 'integrator'], load: async () => (await import('./pages/alerts')).AlertsPage },
  { at: /^\/alerts\/rules$/, roles: [...LEADERS, 'integrator'], load: async () => (await import('./pages/alert-rules')).AlertRulesPage },
  { at: /^\/alerts\/rules\/([^/]+)$/, roles: LEADERS, load: async () => (await import('./pages/alert-rule')).AlertRulePage },
  { at: /^\/accountability$/, roles: LEADERS, load: async () => (await import('./pages/accountability')).AccountabilityPage },
  { at: /^\/acts$/, roles: [...LEADERS, 'agent'], load: async () => (await import('./pages/acts')).ActsPage },
  { at: /^\/notes$/, roles: [...LEADERS, 'agent'], load: async () => (await import('./pages/notes')).NotesPage },
  { at: /^\/me$/, roles: ['agent'], load: async () => (await import('./pages/me')).MePage },
  { at: /^\/queue$/, roles: LEADERS, load: async () => (await import('./pages/queue')).QueuePage },
  { at: /^\/coaching$/, roles: [...LEADERS, 'agent'], load: async () => (await import('./pages/coaching')).CoachingPage },
  { at: /^\/coaching\/([0-9a-f-]{36})$/, roles: [...LEADERS, 'agent'], load: async () => (await import('./pages/coaching-session')).CoachingSessionPage },
  { at: /^\/sampling$/, roles: LEADERS, load: async () => (await import('./pages/sampling')).SamplingPage },
  { at: /^\/calibrations$/, roles: LEADERS, load: async () => (await import('./pages/calibrations')).CalibrationsPage },
  { at: /^\/calibrations\/([0-9a-f-]{36})$/, roles: LEADERS, load: async () => (await import('./pages/calibration')).CalibrationPage },
  { at: /^\/wall$/, roles: READERS, load: async () => (await import('./pages/wall')).WallPage },
  { at: /^\/users$/, roles: ['operator'], load: async () => (await import('./pages/users')).UsersPage },
  { at: /^\/webhooks$/, roles: ['leader', 'integrator'], load: async () => (await import('./pages/webhooks')).WebhooksPage },
  { at: /^\/report$/, roles: READERS, load: async () => (await import('./pages/report')).ReportPage },
];

type Name = keyof Words['pages'];

// The menu of each role in its order; the first is where they begin.
const MENUS: Record<Role, readonly (readonly [string, Name])[]> = {
  leader: [
    ['/today', 'today'], ['/floor', 'floor'], ['/moments', 'moments'], ['/standards', 'standards'], ['/alerts', 'alerts'], ['/wall', 'wall'],
    ['/queue', 'queue'], ['/accountability', 'accountability'], ['/report', 'report'], ['/webhooks', 'webhooks'],
  ],
  coach: [
    ['/queue', 'queue'], ['/floor', 'floor'], ['/moments', 'moments'], ['/standards', 'standards'], ['/alerts', 'alerts'], ['/wall', 'wall'],
    ['/coaching', 'coaching'], ['/accountability', 'accountability'], ['/report', 'report'],
  ],
  agent: [['/me', 'mine'], ['/moments', 'moments'], ['/wall', 'wall'], ['/coaching', 'coaching'], ['/standards', 'myStandard']],
  integrator: [['/webhooks', 'webhooks'], ['/moments', 'moments'], ['/floor', 'floor'], ['/report', 'report']],
  operator: [['/users', 'users']],
};
const ORDER: readonly Role[] = ['leader', 'coach', 'agent', 'integrator', 'operator'];

export function routeOf(pathname: string, user: User): { route: Route; id: string } | null {
  for (const route of ROUTES) {
    const found = route.at.exec(pathname);
    if (found && user.roles.some((r) => route.roles.includes(r))) return { route, id: decodeURIComponent(found[1] ?? '') };
  }
  return null;
}

export function menuOf(user: User): (readonly [string, Name])[] {
  const all = ORDER.filter((r) => user.roles.includes(r)).flatMap((r) => MENUS[r]);
  return all.filter(([to], i) => all.findIndex(([other]) => other === to) === i && routeOf(to, user));
}

export const homeOf = (user: User): string => menuOf(user)[0]?.[0] ?? '/moments';
