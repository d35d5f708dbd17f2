// The frame around every page: where one can go, how old the data is, the reader's own settings.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { User } from '../api';
import * as floor from '../floor';
import { chooseLanguage, language, LANGUAGES, span, t, type Language } from '../i18n';
import { begin, place } from '../router';
import { homeOf, menuOf, routeOf, type Page, type Route } from '../routes';
import { seesContent } from '../session';
import { theme, type Theme } from '../theme';
import { PageHead } from './page-head';
import { Toasts } from './toasts';

function DataAge() {
  const words = t().frame;
  const age = floor.dataAge.value;
  const state = floor.connection.value;
  const said =
    state === 'starting' ? words.ageConnecting
    : state === 'lost' ? words.ageLost(span(age))
    : floor.isStale.value ? words.ageStale(span(age))
    : age !== null && age < 3000 ? words.ageLive
    : words.ageLiveFor(span(age));
  return (
    <span class={`age ${floor.isStale.value ? 'is-stale' : 'is-live'}`} data-testid="data-age" data-connection={state}>
      <span class="age-dot" aria-hidden="true" />
      {said}
    </span>
  );
}

// Said to screen readers when it changes, never with each tick.
function ConnectionNews() {
  const words = t().frame;
  const said = { starting: words.connecting, open: words.live, lost: words.lost }[floor.connection.value];
  return <p role="status" class="only-heard">{seesContent.value ? said : ''}</p>;
}

// A menu under a button: Escape and a click elsewhere close it.
function useOpen() {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (e: Event): void => {
      if (e instanceof KeyboardEvent ? e.key === 'Escape' : !box.current?.contains(e.target as Node)) setOpen(false);
    };
    addEventListener('keydown', close);
    addEventListener('pointerdown', close);
    return () => { removeEventListener('keydown', close); removeEventListener('pointerdown', close); };
  }, [isOpen]);
  return { isOpen, setOpen, box };
}

function Menu({ who }: { who: User }) {
  const { isOpen, setOpen, box } = useOpen();
  const { pathname } = place.value;
  useEffect(() => setOpen(false), [pathname]);
  return (
    <div class="menu" ref={box}>
      <button type="button" class="menu-button" aria-expanded={isOpen} aria-controls="pages" onClick={() => setOpen(!isOpen)}>{t().frame.menu}</button>
      <nav id="pages" aria-label={t().frame.pages} class={isOpen ? 'is-open' : ''}>
        {menuOf(who).map(([to, name]) => (
          <a key={to} href={to} aria-current={pathname === to || pathname.startsWith(`${to}/`) ? 'page' : undefined}>{t().pages[name]}</a>))}
      </nav>
    </div>
  );
}

function Me({ who, leave }: { who: User; leave: () => void }) {
  const { isOpen, setOpen, box } = useOpen();
  const words = t().frame;
  return (
    <div class="me" ref={box}>
      <button type="button" class="who" aria-expanded={isOpen} aria-controls="me" onClick={() => setOpen(!isOpen)} data-testid="me">
        <span class="only-heard">{words.me}: </span>{who.name || who.login}</button>
      {isOpen && (
        <div id="me" class="me-menu panel">
          <p class="quiet small">{who.roles.map((r) => t().roles[r]).join(', ')}</p>
          <label>{words.colours}
            <select value={theme.value} onChange={(e) => (theme.value = e.currentTarget.value as Theme)}>
              {(['auto', 'light', 'dark'] as const).map((x) => <option key={x} value={x}>{t().themes[x]}</option>)}
            </select></label>
          <LanguageChoice />
          <button type="button" onClick={leave}>{words.signOut}</button>
        </div>)}
    </div>
  );
}

export function LanguageChoice() {
  return (
    <label>{t().frame.language}
      <select value={language()} name="language" onChange={(e) => chooseLanguage(e.currentTarget.value as Language)}>
        {Object.entries(LANGUAGES).map(([key, name]) => <option key={key} value={key} lang={key}>{name}</option>)}
      </select></label>
  );
}

const loaded = new Map<Route, Page>();

function usePage(route: Route | null): { page: Page | null; hasFailed: boolean } {
  const [failed, setFailed] = useState<Route | null>(null);
  const [, again] = useState(0);
  useEffect(() => {
    if (!route || loaded.has(route)) return;
    route.load().then((page) => { loaded.set(route, page); again((n) => n + 1); }, () => setFailed(route));
  }, [route]);
  return { page: (route && loaded.get(route)) ?? null, hasFailed: failed !== null && failed === route };
}

function Content({ who }: { who: User }) {
  const found = routeOf(place.value.pathname, who);
  const { page: Shown, hasFailed } = usePage(found?.route ?? null);
  const words = t().frame;
  if (!found) return <section class="panel empty"><PageHead title={words.noPage} about={words.noPageHint} /><p><a href={homeOf(who)}>{words.home}</a></p></section>;
  if (hasFailed) return <section class="panel empty"><PageHead title={words.pageFailed} about={words.pageFailedHint} /><button type="button" onClick={() => location.reload()}>{words.reload}</button></section>;
  if (!Shown) return <p class="quiet" role="status">{words.openingPage}</p>;
  return <Shown key={place.value.pathname} id={found.id} />;
}

export function Frame({ who, leave }: { who: User; leave: () => void }) {
  if (place.value.pathname === '/') begin(homeOf(who));
  return (
    <>
      <a class="skip" href="#content">{t().frame.skip}</a>
      <header class="top">
        <a class="brand" href={homeOf(who)}><img src="/favicon.svg" alt="" width="26" height="26" />Moment</a>
        <Menu who={who} />
        {seesContent.value && <DataAge />}
        <Me who={who} leave={leave} />
      </header>
      <ConnectionNews />
      <main id="content" tabIndex={-1}><Content who={who} /></main>
      <Toasts />
    </>
  );
}
